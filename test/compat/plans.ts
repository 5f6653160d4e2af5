/**
 * The frameworks, in the document's order, and what is asked of each: the whole list in one place.
 * Applications are loaded when their tests run, so that reading this list costs nothing.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plan, Scenario } from "./grid.ts";
import { EXPRESS } from "./scenarios/express.ts";
import { CONDITIONS, FILES, folders, MORE_RANGES, RANGES } from "./scenarios/files.ts";
import { NEST } from "./scenarios/nest.ts";
import { NEXT } from "./scenarios/next.ts";
import { get, multipart, one, several } from "./scenarios/one.ts";
import { RAW } from "./scenarios/raw.ts";
import {
  bodies,
  COOKIES,
  compression,
  CONNECT_STYLE,
  failures,
  guarded,
  LATE_FAILURE,
  routing,
  session,
  WEB,
} from "./scenarios/routes.ts";
import type { Framework } from "./servers.ts";

type Apps = Readonly<Record<string, Framework>>;

/** An application of apps/, as `file#export`. */
function load(name: string): () => Promise<Framework> {
  const [file, member] = name.split("#") as [string, string];
  const { href } = pathToFileURL(join(import.meta.dirname, "apps", file));
  return async () => ((await import(/* @vite-ignore */ href)) as Apps)[member]!;
}

function plan(
  name: string,
  app: string,
  way: string,
  packages: readonly string[],
  scenarios: readonly Scenario[],
): Plan {
  return { title: { name, way, packages }, load: load(app), scenarios };
}

const SEND_STYLE = [...FILES, ...RANGES, ...MORE_RANGES, ...CONDITIONS];

const express: readonly Scenario[] = [
  ...routing(404),
  ...CONNECT_STYLE,
  ...SEND_STYLE,
  ...folders(301, 404),
  ...failures(500),
  LATE_FAILURE,
  ...EXPRESS,
  ...RAW,
];

const connect: readonly Scenario[] = [
  one("a prefix", 200, get("/hello")),
  one("what a prefix leaves of the path", 200, get("/mounted/inner?q=1")),
  one("an unknown path", 404, get("/nowhere")),
  one("a redirect", 302, get("/redirect")),
  ...CONNECT_STYLE,
  ...SEND_STYLE,
  ...folders(301, 404),
  one("a thrown error", 500, get("/throw")),
  one("an error given to next", 418, get("/next-error")),
  one("an error that a handler answers", 422, get("/handled")),
  LATE_FAILURE,
  ...RAW,
];

const koa: readonly Scenario[] = [
  ...routing(405),
  ...bodies(400, 413),
  ...COOKIES,
  session("/session"),
  ...compression("/compress"),
  ...guarded(204),
  ...FILES,
  ...folders(200, 403),
  one("a fresh answer", 304, get("/conditional", { "if-none-match": '"tag"' })),
  one("a stale answer", 200, get("/conditional", { "if-none-match": '"other"' })),
  one("a null body", 204, get("/null")),
  one("koa-send of a file", 200, get("/send-file")),
  one("an attachment", 200, get("/download")),
  ...failures(418),
  LATE_FAILURE,
  ...RAW,
];

const fastify: readonly Scenario[] = [
  ...routing(404),
  ...bodies(400, 413),
  ...COOKIES,
  session("/session"),
  ...compression("/compress"),
  ...guarded(204),
  ...SEND_STYLE,
  ...folders(200, 403, 200),
  one("reply.sendFile", 200, get("/send-file")),
  one("reply.download", 200, get("/download")),
  one("a Response of the Web", 203, get("/response")),
  one("trailers of a reply", 200, get("/trailers")),
  one("early hints", 200, get("/hints")),
  several("a validated query", [200, 400], get("/validated?n=1"), get("/validated")),
  ...failures(418),
  LATE_FAILURE,
  ...RAW,
];

const nest: readonly Scenario[] = [
  ...NEST,
  one("an interceptor with files", 201, multipart("/nest-upload", 10, 100_000)),
  ...CONNECT_STYLE,
  ...SEND_STYLE,
  ...folders(301, 404),
  ...RAW,
];

const hono: readonly Scenario[] = [
  ...routing(404),
  ...bodies(500, 200),
  ...COOKIES,
  ...compression("/compress"),
  ...guarded(204),
  ...FILES,
  ...RANGES,
  ...failures(418),
  ...WEB,
];

const h3: readonly Scenario[] = [
  ...routing(404),
  ...bodies(400, 200),
  ...COOKIES,
  ...guarded(204),
  ...failures(418),
  one("no content", 200, get("/null")),
  one("a long text", 200, get("/text")),
  ...WEB,
];

/** Name of a plan. */
export type PlanName =
  | "plain"
  | "express4"
  | "express5"
  | "connect"
  | "koa"
  | "fastify"
  | "nestExpress"
  | "nestFastify"
  | "next"
  | "honoNode"
  | "honoFetch"
  | "h3Node"
  | "h3Fetch";

/** Next.js fails on a flat array in writeHead, and sends clients from odd paths to tidier ones: on node:http as well. */
const NOT_BY_NEXT = ["writeHead in the form of flat", "facts of a path with odd characters"];
const next: readonly Scenario[] = [
  ...NEXT,
  ...RAW.filter(({ name }) => !NOT_BY_NEXT.includes(name)),
];

/** Everything that is served, by the name of its test file. */
// biome-ignore format: a table
export const PLANS: Readonly<Record<PlanName, Plan>> = {
  plain: plan("no framework", "plain.mjs#plainApp", "createServer(handler)", [], RAW),
  express4: plan("Express 4", "express.mjs#express4App", "createServer(app)", ["express4"], express),
  express5: plan("Express 5", "express.mjs#express5App", "createServer(app)", ["express"], express),
  connect: plan("Connect", "connect.mjs#connectApp", "createServer(app)", ["connect"], connect),
  koa: plan("Koa", "koa.mjs#koaApp", "createServer(app.callback())", ["koa"], koa),
  fastify: plan("Fastify 5", "fastify.mjs#fastifyApp", "serverFactory", ["fastify"], fastify),
  nestExpress: plan("NestJS on Express", "nest.mjs#nestExpressApp", "ExpressAdapter.initHttpServer", ["@nestjs/core"], nest),
  nestFastify: plan("NestJS on Fastify", "nest.mjs#nestFastifyApp", "FastifyAdapter({ serverFactory })", ["@nestjs/core"], [...NEST, ...RAW]),
  next: plan("Next.js", "next.mjs#nextApp", "custom server", ["next"], next),
  honoNode: plan("Hono by its adapter", "hono.mjs#honoNodeApp", "getRequestListener(app.fetch)", ["hono", "@hono/node-server"], [...hono, ...RAW]),
  honoFetch: plan("Hono", "hono.mjs#honoFetchApp", "createServer({ fetch })", ["hono"], hono),
  h3Node: plan("h3 by its adapter", "h3.mjs#h3NodeApp", "toNodeHandler(app)", ["h3"], [...h3, ...RAW]),
  h3Fetch: plan("h3", "h3.mjs#h3FetchApp", "createServer({ fetch })", ["h3"], h3),
};
