/**
 * One application for each kind of handler, each answering who its client is, in the words of its framework.
 *
 * The frameworks are those of test/compat/package.json; without them their applications name what is missing. None is
 * told to trust a proxy.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { Application } from "../../src/serve/application.ts";
import { type SocketTls, socketTls } from "../support/tls-facts.ts";

/** What an application says of its client. */
export interface Told {
  /** Whom the framework takes for the client. */
  readonly ip: string | undefined;
  readonly scheme: string;
  readonly hostname: string;
  /** What the request's socket says. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localPort: number | undefined;
  readonly encrypted: boolean;
  readonly tls?: Pick<SocketTls, "authorized" | "authorizationError" | "protocol" | "cipher"> & {
    readonly subject: unknown;
    readonly fingerprint: string | undefined;
  };
}

/** What the socket says, whoever asks. */
function socketFacts(req: IncomingMessage): Omit<Told, "ip" | "scheme" | "hostname"> {
  const { remoteAddress, remotePort, localPort } = req.socket;
  const encrypted = (req.socket as { encrypted?: boolean }).encrypted === true;
  const addresses = { remoteAddress, remotePort, localPort, encrypted };
  if (!encrypted) return addresses;
  const { authorized, authorizationError, protocol, cipher, fingerprint, certificate } =
    socketTls(req);
  const tls = { authorized, authorizationError, protocol, cipher, fingerprint };
  return { ...addresses, tls: { ...tls, subject: certificate.subject } };
}

/** One kind of handler. */
export interface IdentityApp {
  readonly name: string;
  /** Why it cannot run; undefined: it can. */
  readonly obstacle: string | undefined;
  make(): Application | Promise<Application>;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

const plain: Handler = (req, res) => {
  const [hostname = ""] = (req.headers.host ?? "").split(":");
  const facts = socketFacts(req);
  const scheme = facts.encrypted ? "https" : "http";
  res.end(JSON.stringify({ ip: facts.remoteAddress, scheme, hostname, ...facts }));
};

const fetcher: Application = {
  fetch(request, info) {
    const { hostname, protocol } = new URL(request.url);
    const facts = { ip: info.remoteAddr.hostname, scheme: protocol.slice(0, -1), hostname };
    return Response.json({ ...facts, ...socketFacts(info.node.req) });
  },
};

const require = createRequire(import.meta.url);

function framework(
  name: string,
  make: (module: never) => Application | Promise<Application>,
): IdentityApp {
  let obstacle: string | undefined;
  try {
    require.resolve(name);
  } catch {
    obstacle = `${name} is not installed in test/compat`;
  }
  const load = (): unknown => {
    const module: { default?: unknown } = require(name);
    return module.default ?? module;
  };
  return { name, obstacle, make: () => make(load() as never) };
}

interface ExpressRequest extends IncomingMessage {
  readonly ip: string;
  readonly secure: boolean;
  readonly protocol: string;
  readonly hostname: string;
}

function express(create: () => unknown): Application {
  const app = create() as Handler & {
    get(path: RegExp, handler: (req: ExpressRequest, res: ServerResponse) => void): void;
  };
  app.get(/.*/, (req, res) => {
    const { ip, protocol, hostname, secure } = req;
    if (secure !== (protocol === "https")) throw new Error("req.secure and req.protocol disagree");
    res.end(JSON.stringify({ ip, scheme: protocol, hostname, ...socketFacts(req) }));
  });
  return app;
}

interface KoaContext {
  readonly ip: string;
  readonly secure: boolean;
  readonly protocol: string;
  readonly hostname: string;
  readonly req: IncomingMessage;
  body: unknown;
}

function koa(Koa: new () => unknown): Application {
  const app = new Koa() as { use(handler: (ctx: KoaContext) => void): void; callback(): Handler };
  app.use((ctx) => {
    const { ip, protocol, hostname, secure } = ctx;
    if (secure !== (protocol === "https")) throw new Error("ctx.secure and ctx.protocol disagree");
    ctx.body = { ip, scheme: protocol, hostname, ...socketFacts(ctx.req) };
  });
  return app.callback();
}

interface FastifyRequest {
  readonly ip: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly raw: IncomingMessage;
}

async function fastify(create: () => unknown): Promise<Application> {
  const app = create() as {
    get(path: string, handler: (request: FastifyRequest) => Promise<unknown>): void;
    ready(): Promise<void>;
    routing: Handler;
  };
  app.get("*", async ({ ip, protocol, hostname, raw }) => {
    return { ip, scheme: protocol, hostname, ...socketFacts(raw) };
  });
  await app.ready();
  return (req, res) => app.routing(req, res);
}

/** Every kind of handler. */
export const IDENTITY_APPS: readonly IdentityApp[] = [
  { name: "plain (req, res)", obstacle: undefined, make: () => plain },
  { name: "fetch", obstacle: undefined, make: () => fetcher },
  framework("express", express),
  framework("koa", koa),
  framework("fastify", fastify),
];
