/**
 * The name of a web server, or of what starts the application → who renders its configuration.
 *
 * The one list of what `postern config` knows. Each of them is a file here.
 */
import { renderApache } from "./apache.ts";
import { renderCaddy } from "./caddy.ts";
import { renderCherokee } from "./cherokee.ts";
import { renderHaproxy } from "./haproxy.ts";
import { renderHtaccess } from "./htaccess.ts";
import { renderIis } from "./iis.ts";
import { renderLighttpd } from "./lighttpd.ts";
import { renderNginx } from "./nginx.ts";
import type { Rendered, Site } from "./site.ts";
import { renderSystemd } from "./systemd.ts";

/** What a configuration can be made for. */
export interface Target {
  readonly name: string;
  /** One clause, for the help. */
  readonly help: string;
  readonly render: (site: Site) => Rendered;
  /** How comments begin in it; undefined: the file has its own. */
  readonly comment: string | undefined;
  /** Program and words that say its version; undefined: none matters. */
  readonly version?: readonly [program: string, ...words: string[]];
  /** How to check the file and make it count. */
  readonly check?: string;
  /** It starts the application itself. */
  readonly startsApplication?: boolean;
  /** Options that the application needs behind it. */
  readonly needs?: (site: Site) => readonly string[];
}

/** All targets. */
export const TARGETS: readonly Target[] = [
  {
    name: "nginx",
    help: "a server block and its upstream: FastCGI, SCGI, HTTP",
    render: renderNginx,
    comment: "#",
    check: "nginx -t && nginx -s reload",
    version: ["nginx", "-v"],
  },
  {
    name: "apache",
    help: "a virtual host: FastCGI, SCGI, AJP, HTTP",
    render: renderApache,
    comment: "#",
    check: "apachectl configtest && apachectl graceful",
  },
  {
    name: "apache-htaccess",
    help: "shared hosting: .htaccess and app.fcgi for mod_fcgid",
    render: renderHtaccess,
    startsApplication: true,
    comment: "#",
  },
  {
    name: "lighttpd",
    help: "a piece of configuration: FastCGI, SCGI, AJP, HTTP",
    render: renderLighttpd,
    comment: "#",
    check: "lighttpd -tt -f /etc/lighttpd/lighttpd.conf && systemctl reload lighttpd",
    version: ["lighttpd", "-v"],
    // It sends bodies without the inner length that the protocol asks for.
    needs: ({ protocol }) => (protocol === "ajp" ? ["--ajp.raw-body"] : []),
  },
  {
    name: "haproxy",
    help: "frontend and backend: FastCGI, HTTP",
    render: renderHaproxy,
    comment: "#",
    check: "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy",
  },
  {
    name: "caddy",
    help: "a block of a Caddyfile: FastCGI, HTTP",
    render: renderCaddy,
    comment: "#",
    check: "caddy reload --config /etc/caddy/Caddyfile",
  },
  {
    name: "cherokee",
    help: "keys of its configuration: FastCGI, SCGI",
    render: renderCherokee,
    comment: "#",
  },
  {
    name: "iis",
    help: "web.config for HttpPlatformHandler: HTTP",
    render: renderIis,
    startsApplication: true,
    comment: undefined,
  },
  {
    name: "systemd",
    help: "a unit that runs the application",
    render: renderSystemd,
    startsApplication: true,
    comment: "#",
    check: "systemctl daemon-reload",
  },
];
