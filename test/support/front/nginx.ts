/**
 * Sites → an nginx configuration in a private folder, and nginx in the foreground with it.
 *
 * One `server` block for each site, each on a port of its own, with the parameters of the stock
 * fastcgi_params and scgi_params files written out, so that no file of the machine decides. Sends no request.
 */
import { writeFileSync } from "node:fs";
import { findProgram, isRoot, workerAccount } from "./child.ts";
import { FrontServer } from "./front-server.ts";
import type { Address, Room } from "./ports.ts";

/** Parameters of nginx's stock fastcgi_params. */
const FASTCGI_PARAMS: Readonly<Record<string, string>> = {
  QUERY_STRING: "$query_string",
  REQUEST_METHOD: "$request_method",
  CONTENT_TYPE: "$content_type",
  CONTENT_LENGTH: "$content_length",
  SCRIPT_NAME: "$fastcgi_script_name",
  REQUEST_URI: "$request_uri",
  DOCUMENT_URI: "$document_uri",
  DOCUMENT_ROOT: "$document_root",
  SERVER_PROTOCOL: "$server_protocol",
  REQUEST_SCHEME: "$scheme",
  HTTPS: "$https if_not_empty",
  GATEWAY_INTERFACE: "CGI/1.1",
  SERVER_SOFTWARE: "nginx/$nginx_version",
  REMOTE_ADDR: "$remote_addr",
  REMOTE_PORT: "$remote_port",
  REMOTE_USER: "$remote_user",
  SERVER_ADDR: "$server_addr",
  SERVER_PORT: "$server_port",
  SERVER_NAME: "$server_name",
  REDIRECT_STATUS: "200",
};

/** Parameters of nginx's stock scgi_params. */
const SCGI_PARAMS: Readonly<Record<string, string>> = {
  REQUEST_METHOD: "$request_method",
  REQUEST_URI: "$request_uri",
  QUERY_STRING: "$query_string",
  CONTENT_TYPE: "$content_type",
  DOCUMENT_URI: "$document_uri",
  DOCUMENT_ROOT: "$document_root",
  SCGI: "1",
  SERVER_PROTOCOL: "$server_protocol",
  REQUEST_SCHEME: "$scheme",
  HTTPS: "$https if_not_empty",
  REMOTE_ADDR: "$remote_addr",
  REMOTE_PORT: "$remote_port",
  SERVER_PORT: "$server_port",
  SERVER_NAME: "$server_name",
};

/** One `server` block. */
export interface NginxSite {
  readonly port: number;
  readonly protocol: "fastcgi" | "scgi";
  readonly address: Address;
  /** Parameters beside or instead of the stock ones. */
  readonly params?: Readonly<Record<string, string>>;
  /** Directives of the server block of a site that speaks TLS. */
  readonly tls?: readonly string[];
  /** Further directives of the location. */
  readonly directives?: readonly string[];
  /** Locations inside of the location, which inherit its parameters. */
  readonly inside?: readonly string[];
  /** Further lines of the server block: other locations. */
  readonly beside?: readonly string[];
  /** Connections kept open to the gateway; undefined: a new one for each request. */
  readonly keepalive?: number;
}

/** Renders one upstream and its server block. */
function renderSite(site: NginxSite, index: number): string {
  const { protocol, address } = site;
  const target = "socket" in address ? `unix:${address.socket}` : `${address.host}:${address.port}`;
  const params = { ...(protocol === "fastcgi" ? FASTCGI_PARAMS : SCGI_PARAMS), ...site.params };
  const quote = (value: string): string => (value === "" ? '""' : value);
  const kept =
    site.keepalive === undefined ? "" : `keepalive ${site.keepalive}; keepalive_requests 1000000;`;
  return `
  upstream gateway${index} { server ${target}; ${kept} }
  server {
    listen 127.0.0.1:${site.port}${site.tls === undefined ? "" : " ssl"};
${(site.tls ?? []).map((line) => `    ${line};`).join("\n")}
    location / {
${Object.entries(params)
  .map(([name, value]) => `      ${protocol}_param ${name} ${quote(value)};`)
  .join("\n")}
${(site.directives ?? []).map((line) => `      ${line};`).join("\n")}
      ${protocol}_pass gateway${index};
${(site.inside ?? []).map((line) => `      ${line}`).join("\n")}
    }
${(site.beside ?? []).map((line) => `    ${line}`).join("\n")}
  }`;
}

/** Starts nginx with the sites; `more` are further lines beside them: upstreams, caches. */
export function startNginx(
  room: Room,
  sites: readonly NginxSite[],
  more: readonly string[] = [],
): Promise<FrontServer> {
  const program = findProgram("nginx");
  const first = sites[0];
  if (program === undefined || first === undefined)
    throw new Error("nginx or its sites are missing");
  const { user, group } = workerAccount();
  const temporary = ["client_body", "fastcgi", "scgi", "proxy", "uwsgi"];
  const text = `${isRoot ? `user ${user} ${group};\n` : ""}daemon off;
worker_processes 1;
pid ${room.file("nginx.pid")};
error_log ${room.file("nginx.log")} info;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 0;
  keepalive_requests 1000000;
${temporary.map((name) => `  ${name}_temp_path ${room.file(`nginx-${name}`)};`).join("\n")}
${more.map((line) => `  ${line}`).join("\n")}
${sites.map(renderSite).join("\n")}
}
`;
  writeFileSync(room.file("nginx.conf"), text);
  return FrontServer.start({
    program,
    parameters: ["-p", room.path, "-c", room.file("nginx.conf"), "-e", room.file("nginx.log")],
    port: first.port,
    log: room.file("nginx.log"),
    // [warn] is about bodies spooled to files; [info] about clients that went away.
    complaint: /\[(error|crit|alert|emerg)\]/,
    room,
  });
}
