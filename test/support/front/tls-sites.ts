/**
 * The TLS configurations of docs/front-servers.md → nginx and Apache with client certificates, in front of unix sockets.
 *
 * Directives and variables are those of the document, so that what it shows is what is proved. One socket a protocol, on
 * which the test itself serves; sends no request.
 */
import { copyFileSync } from "node:fs";
import { pemPath } from "../certificates.ts";
import { type Block, blocksOf, textOf } from "../documents.ts";
import { type ApacheSite, apacheName, apacheTarget, sslModule, startApache } from "./apache.ts";
import { type FrontServer, serverObstacle } from "./front-server.ts";
import { AJP_SECRET } from "./gateway.ts";
import { type NginxSite, startNginx } from "./nginx.ts";
import { freePorts, Room } from "./ports.ts";

/** One site. */
export interface TlsSite {
  readonly title: string;
  readonly protocol: "fastcgi" | "scgi" | "ajp";
  readonly port: number;
  /** Does it take certificates that nobody vouches for, and clients without one? */
  readonly takesAny: boolean;
  /** Why it cannot be asked here; undefined: it can. */
  readonly obstacle: string | undefined;
}

const FOLDER = /\/etc\/app\b/g;

/** Blocks of the document that are marked as TLS. */
const BLOCKS: readonly Block[] = blocksOf("docs/front-servers.md").filter(
  ({ kind, words }) => kind === "config" && words[1] === "tls",
);

function blockWith(server: string, text: string): Block {
  const found = BLOCKS.find(({ words, text: own }) => words[0] === server && own.includes(text));
  if (found === undefined) throw new Error(`docs/front-servers.md has no ${server} with ${text}`);
  return found;
}

/** The document's `ssl_…` directives, and its variables but for stock ones. */
function nginxParts(protocol: "fastcgi" | "scgi"): Required<Pick<NginxSite, "tls" | "params">> {
  const { text } = blockWith("nginx", `${protocol}_pass`);
  const params = text.matchAll(/^\s*\w+_param (\w+) (\S+);$/gm);
  return {
    tls: Array.from(text.matchAll(/^\s*(ssl_.*);$/gm), (match) => match[1]!),
    params: Object.fromEntries(Array.from(params, ([, name, value]) => [name!, value!])),
  };
}

/** The document's `SSL…` directives; mod_proxy_scgi takes those of mod_proxy_fcgi. */
function apacheDirectives(protocol: TlsSite["protocol"]): string[] {
  const { text } = blockWith("apache", protocol === "ajp" ? "ajp:" : "fcgi:");
  return Array.from(text.matchAll(/^\s*(SSL.*)$/gm), (match) => match[1]!);
}

type Plan = Omit<TlsSite, "port" | "obstacle"> & {
  readonly server: "nginx" | "apache";
  /** nginx variable that has the certificate, instead of the document's. */
  readonly certificate?: string;
};

const SHAPES = ["$ssl_client_cert", "$ssl_client_escaped_cert"];
const NGINX = ["fastcgi", "scgi"] as const;
const APACHE = ["fastcgi", "scgi", "ajp"] as const;

const PLANS: readonly Plan[] = [
  ...NGINX.flatMap((protocol): Plan[] => {
    const one = { server: "nginx", protocol, takesAny: false } as const;
    return [
      { ...one, title: `nginx ${protocol}` },
      { ...one, title: `nginx ${protocol} that takes any certificate`, takesAny: true },
      ...SHAPES.map((certificate) => ({
        ...one,
        title: `nginx ${protocol} with ${certificate}`,
        certificate,
      })),
    ];
  }),
  ...APACHE.flatMap((protocol): Plan[] => {
    const one = { server: "apache", protocol, takesAny: false } as const;
    const title = `apache ${protocol}`;
    return [
      { ...one, title },
      { ...one, title: `${title} that takes any certificate`, takesAny: true },
    ];
  }),
];

const OBSTACLES: Readonly<Record<Plan["server"], string | undefined>> = {
  nginx: serverObstacle("nginx"),
  apache: serverObstacle(apacheName(), sslModule()),
};

/** Both servers with all sites. */
export class TlsFronts {
  readonly room: Room = new Room("tls");
  readonly sites: readonly TlsSite[];
  readonly #fronts: FrontServer[] = [];

  private constructor(ports: readonly number[]) {
    this.sites = PLANS.map((plan, index) => ({
      ...plan,
      port: ports[index]!,
      obstacle: OBSTACLES[plan.server],
    }));
    for (const name of ["authority", "server", "server-key"] as const) {
      copyFileSync(pemPath(name), this.room.file(`${name}.pem`));
    }
  }

  /** Chooses ports; nothing runs yet. */
  static async prepare(): Promise<TlsFronts> {
    return new TlsFronts(await freePorts(PLANS.length));
  }

  /** Where to serve a protocol; AJP with the secret of all conformance tests. */
  socket(protocol: TlsSite["protocol"]): string {
    return this.room.file(`${protocol}.sock`);
  }

  /** Starts what is installed. */
  async start(): Promise<void> {
    const of = (server: Plan["server"]): number[] =>
      [...PLANS.keys()].filter((index) => PLANS[index]!.server === server);
    if (OBSTACLES.nginx === undefined) {
      const sites = of("nginx").map((index) => this.#nginxSite(PLANS[index]!, index));
      this.#fronts.push(await startNginx(this.room, sites));
    }
    if (OBSTACLES.apache === undefined) {
      const sites = of("apache").map((index) => this.#apacheSite(PLANS[index]!, index));
      this.#fronts.push(await startApache(this.room, sites));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#fronts.map((front) => front.stop()));
    this.room.remove();
  }

  /** Lines of the servers' logs that are never right. */
  complaints(expected: readonly RegExp[]): string[] {
    return this.#fronts.flatMap((front) => front.complaints(expected));
  }

  #nginxSite(plan: Plan, index: number): NginxSite {
    const { protocol, certificate, takesAny } = plan;
    if (protocol === "ajp") throw new Error("nginx speaks no AJP");
    const { tls, params } = nginxParts(protocol);
    const lines = tls.map((line) => line.replace(FOLDER, this.room.path));
    return {
      port: this.sites[index]!.port,
      protocol,
      address: { socket: this.socket(protocol) },
      params: certificate === undefined ? params : { ...params, SSL_CLIENT_CERT: certificate },
      // With names of headers as hostile as they can be.
      tls: [
        ...lines.map((line) =>
          takesAny ? line.replace(/(verify_client) on/, "$1 optional_no_ca") : line,
        ),
        "underscores_in_headers on",
      ],
    };
  }

  #apacheSite(plan: Plan, index: number): ApacheSite {
    const { protocol, takesAny } = plan;
    const scheme = protocol === "fastcgi" ? "fcgi" : protocol;
    const target = apacheTarget(scheme, { socket: this.socket(protocol) }, `g${index}`);
    const secret = protocol === "ajp" ? `secret=${AJP_SECRET}` : "";
    const lines = apacheDirectives(protocol).map((line) => line.replace(FOLDER, this.room.path));
    return {
      port: this.sites[index]!.port,
      directives: [
        ...lines.map((line) =>
          takesAny ? line.replace(/(VerifyClient) require/, "$1 optional_no_ca") : line,
        ),
        ...(takesAny && protocol === "ajp" ? [verdictDirective()] : []),
        `ProxyPass / "${target}" retry=0 ${secret}`,
      ],
    };
  }
}

/** The line by which Apache sends its verdict over AJP, as the document has it. */
function verdictDirective(): string {
  const line = /`(SetEnvIfExpr "[^`]*)`/.exec(textOf("docs/front-servers.md"))?.[1];
  if (line === undefined) throw new Error("docs/front-servers.md has no SetEnvIfExpr");
  return line;
}
