/**
 * Every public type, as users write it. `npm run check` compiles this against src/, test/types/types.test.ts against
 * the built declarations, for import and for require. Never run; a wrong use has `@ts-expect-error` above it.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";
import {
  ClientConnection,
  ClientError,
  type ClientAddress,
  type ClientBody,
  type ClientHeaders,
  type ClientProtocol,
  type ClientResponse,
  type ConnectionOptions,
  type RequestOptions,
  request,
} from "../../src/client/client.ts";
import {
  AbortError,
  type Application,
  createServer,
  type EngineChoice,
  type EngineName,
  type FastifyApplication,
  type FetchApplication,
  type FetchHandler,
  type FetchInfo,
  type FoldersOption,
  type GatewayFacts,
  type GatewayRequest,
  InternalError,
  type KoaApplication,
  type Limits,
  type NestApplication,
  type NodeHandler,
  ProtocolError,
  type ProtocolName,
  type RequestListener,
  reopenLogs,
  type RoleName,
  type SendFileOptions,
  sendFile,
  Server,
  type AnyOptions,
  type AppOptions,
  type ConnectionTold,
  type ErrorTold,
  type ForeignOptions,
  type HttpAttributes,
  httpAttributes,
  type RequestEnded,
  type RequestStarted,
  type ServeOptions,
  serve,
  type TlsFacts,
  UsageError,
} from "../../src/index.ts";
import { holds, type Same } from "./expectations.ts";

// --- serve and createServer ---------------------------------------------------------------------

// Parameters of handlers are known where they are written.
serve((req, res) => {
  holds<Same<typeof req, GatewayRequest>>();
  holds<Same<typeof req.gateway, GatewayFacts>>();
  res.setHeader("X-User", req.gateway.remoteUser ?? "nobody").end(req.url);
});
serve(async (req, res) => void res.end(req.method), { socket: "/run/app/app.sock", mode: 0o660 });
serve({
  fetch(incoming, info) {
    holds<Same<typeof info, FetchInfo>>();
    return new Response(new URL(incoming.url).pathname + info.gateway.protocol);
  },
});
serve({ fetch: () => new Response("") }, { fd: "systemd:app" });
serve(createHttpServer(), { port: "9000", host: "::1" });
createServer();
createServer((_req, res) => res.end());
createServer({ protocol: "fcgi" }, (req: IncomingMessage, res: ServerResponse) => res.end(req.url));
createServer({ protocol: "scgi" }, (req, res) => {
  holds<Same<typeof req, IncomingMessage>>();
  res.end();
});
createServer({ protocol: ["ajp13", "http"] }, { fetch: async () => new Response("") });

const koa: KoaApplication = { callback: () => (_req, res) => res.end() };
const fastify: FastifyApplication = {
  ready: async () => undefined,
  routing: (_req, res) => res.end(),
  close: async () => undefined,
};
const nest: NestApplication = {
  init: async () => undefined,
  getHttpAdapter: () => ({ getInstance: () => fastify }),
  close: async () => undefined,
};
const node: NodeHandler = (req, res) => res.end(req.gateway.scriptName);
const fetching: FetchHandler = (_, { waitUntil }) => {
  waitUntil(Promise.resolve());
  return new Response();
};
const web: FetchApplication = { fetch: fetching };
const applications: Application[] = [node, web, koa, fastify, nest, createHttpServer()];
for (const application of applications) serve(application, { engine: "native" });
serve(koa, { port: 1 });
serve(fastify);
serve(nest);
createServer({}, koa);
const listener: RequestListener = (req, res) => res.end(req.url);
createServer(listener);

// @ts-expect-error: a text is no application
serve("app");
// @ts-expect-error: neither is a number of Koa's shape
serve({ callback: 5 });
// @ts-expect-error: fetch gives a Response
serve({ fetch: () => "text" });
// @ts-expect-error: no such protocol
serve(node, { protocol: "gopher" });
// @ts-expect-error: no such option
serve(node, { sockets: "/run/app/app.sock" });
// @ts-expect-error: a limit is a number
createServer({ limits: { bodyBytes: "1 MiB" } });

// --- options ------------------------------------------------------------------------------------

const folders: FoldersOption = { "/media/": "/srv/media" };
const limits: Partial<Limits> = { bodyBytes: Number.POSITIVE_INFINITY };
export const options: ServeOptions = {
  protocol: "auto",
  backlog: 511,
  umask: "0002",
  owner: "www-data",
  group: 33,
  engine: "auto",
  multiplex: true,
  halfOpen: false,
  scriptName: "",
  stripScriptName: true,
  static: folders,
  sendfile: ["/internal/=/srv/files"],
  limits,
  timeouts: { head: 1, body: 1, write: 1, idle: 1, request: 0, drain: 1, kill: 1 },
  trust: { peers: ["10.0.0.0/8"], allowRemote: true },
  ajp: { secretFile: "/etc/app/secret", packetSize: 65_536, attributes: /x/, rawBody: false },
  scgi: { strict: true },
  signal: AbortSignal.timeout(1),
  onListen: ({ text, protocols }) => `${text} ${protocols.join()}`,
  onError: (error, req) => [error instanceof Error, req?.url],
};
export const foreign: ForeignOptions & AnyOptions = { hostname: "127.0.0.1", port: 9000 };
export const whole: AppOptions = { fetch: () => new Response("hi"), port: 9000 };
serve(whole);
serve((request) => new Response(request.url), { kind: "fetch", ...foreign });
export const fewest: ServeOptions = { socket: undefined, limits: { bodyBytes: undefined } };

// --- the server ---------------------------------------------------------------------------------

export async function ofServer(): Promise<void> {
  await using server = serve(node, { port: 0 });
  holds<Same<typeof server, Server>>();
  const asHttp: HttpServer = await server.ready();
  holds<Same<typeof server.engine, EngineChoice>>();
  holds<Same<typeof server.engine.name, EngineName>>();
  holds<Same<typeof server.protocols, readonly ProtocolName[]>>();
  holds<Same<typeof server.where, string | undefined>>();
  holds<Same<ReturnType<typeof server.address>, string | AddressInfo | null>>();
  server.listen(9000, () => undefined).on("request", listener);
  server.close((error) => error?.message);
  await server.shutdown();
  if (asHttp instanceof Server) asHttp.closeIdleConnections();
}

// --- what a handler sees ------------------------------------------------------------------------

export function ofRequest(req: GatewayRequest, info: FetchInfo): void {
  const asNode: IncomingMessage = req;
  const { gateway } = req;
  holds<Same<typeof gateway.protocol, ProtocolName>>();
  holds<Same<ProtocolName, "fastcgi" | "scgi" | "ajp" | "http">>();
  holds<Same<typeof gateway.role, RoleName>>();
  holds<Same<RoleName, "responder" | "authorizer" | "filter">>();
  holds<Same<typeof gateway.tls, TlsFacts | undefined>>();
  holds<Same<typeof gateway.params, Readonly<Record<string, string>>>>();
  holds<Same<typeof gateway.remoteUser, string | undefined>>();
  const streams: [Writable, Readable | undefined] = [gateway.errors, gateway.data];
  gateway.signal.addEventListener("abort", () => {
    const reason: unknown = gateway.signal.reason;
    if (reason instanceof AbortError) holds<Same<string, typeof reason.message>>();
  });
  const { hostname, port } = info.remoteAddr;
  const told: [string, number, Promise<void>] = [hostname, port, info.completed];
  info.node.res.end(String([asNode.url, streams.length, told.length, gateway.tls?.cipher]));
  // @ts-expect-error: the facts are read-only
  gateway.remoteUser = "root";
}

export function ofChannels(
  started: RequestStarted,
  ended: RequestEnded,
  { peer }: ConnectionTold,
  { error, request: shown }: ErrorTold,
): HttpAttributes {
  holds<Same<typeof ended.request, RequestStarted | undefined>>();
  holds<Same<typeof error, unknown>>();
  const told: [string, number, string | undefined] = [peer.address, ended.durationMs, shown?.url];
  return told.length > 0 ? httpAttributes(started) : httpAttributes(started, ended);
}

export async function ofFiles(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const below: SendFileOptions = { root: "/srv/files" };
  const isSent: boolean = await sendFile(req, res, "report.pdf", below);
  if (!isSent) res.writeHead(404).end();
  // @ts-expect-error: the request is needed as well
  await sendFile(res, "/srv/files/report.pdf");
}

export function ofLogs(): void {
  holds<Same<ReturnType<typeof reopenLogs>, void>>();
  reopenLogs();
}

export function ofErrors(error: unknown): string {
  if (error instanceof UsageError) return error.code;
  if (error instanceof ProtocolError) return error.code;
  return error instanceof InternalError ? error.code : "";
}

// --- the client ---------------------------------------------------------------------------------

export async function ofClient(): Promise<unknown> {
  const address: ClientAddress = { socket: "/run/app/app.sock" };
  const protocol: ClientProtocol = "ajp";
  const reach: ConnectionOptions = { protocol, address, secret: "0123456789abcdef" };
  const headers: ClientHeaders = { Accept: ["text/html", "*/*"] };
  const body: ClientBody = new Uint8Array(1);
  const asked: RequestOptions = { method: "POST", url: "/x", headers, body };
  const response: ClientResponse = await request({ ...reach, ...asked });
  const connection = new ClientConnection({ protocol: "fastcgi", address: { port: 9000 } });
  try {
    const again = await connection.request(asked);
    return [response.status, await again.text()];
  } catch (error) {
    return error instanceof ClientError && error.answered;
  }
}
