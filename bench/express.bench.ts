/**
 * What Express' swap of prototypes costs: CPU time of one request with it and without it, and their ratio.
 * The same handler in each row; (req, res) alone on a carrier that sends nothing, and socket to socket over FastCGI with
 * client and server in this one process. Rounds alternate, so that what else the machine does touches all rows alike.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Carrier } from "../src/handler/carrier.ts";
import { Prototypes } from "../src/handler/node/prototypes.ts";
import { NodeRequest } from "../src/handler/node/request.ts";
import type { RequestHead } from "../src/http/head.ts";
import type { NodeHandler } from "../src/serve/application.ts";
import { serve } from "../src/serve/serve.ts";
import type { Server } from "../src/server/server.ts";
import { REQUESTS, readsOf } from "./streams.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
const ROUNDS = isBlink ? 1 : process.argv.includes("--full") ? 30 : 8;
const REQUEST_COUNT = isBlink ? 40 : 2_000;
const LANES = 8;

/** What Express puts on both. */
type Loose = { res?: unknown; req?: unknown; next?: unknown; baseUrl?: unknown } & {
  originalUrl?: unknown;
  params?: unknown;
  locals?: unknown;
};
type Application = NodeHandler & { request?: object; response?: object };

/** What Express 5 does to every request before and while it routes, with or without the swap. */
function emulated(swap: boolean, shown: boolean): Application {
  const settings = { value: {}, writable: true };
  // Express' own has getters without setters, too: such prototypes are never learned, only declared.
  const query = { get: (): object => ({}) };
  const request = Object.create(IncomingMessage.prototype, { app: settings, query }) as object;
  const response = Object.create(ServerResponse.prototype, { app: settings }) as object;
  const application: Application = (req, res) => {
    if (swap) {
      Object.setPrototypeOf(req, request);
      Object.setPrototypeOf(res, response);
    }
    const [own, answer] = [req as Loose, res as Loose];
    own.res = res;
    own.next = undefined;
    own.baseUrl = "";
    own.originalUrl = req.url;
    own.params = {};
    answer.req = req;
    answer.locals = Object.create(null);
    res.statusCode = 200;
    res.setHeader("X-Powered-By", "Express");
    res.setHeader("Content-Type", "text/html; charset=utf-8");
    res.setHeader("ETag", 'W/"b-Kq5sNclPz7QV2+lfQIuc6R7oRu0"');
    res.end("hello world");
  };
  return shown ? Object.assign(application, { request, response }) : application;
}

/** Express itself, where the compatibility tests have installed it. */
function express(shown: boolean): Application | undefined {
  const folder = resolve(import.meta.dirname, "../test/compat");
  if (!existsSync(join(folder, "node_modules/express"))) return undefined;
  const make = createRequire(join(folder, "package.json"))("express");
  const app = make();
  app.get("/", (_req: unknown, res: { send(text: string): void }) => res.send("hello world"));
  return shown ? app : (req, res) => app(req, res);
}

/** Runs requests; their number is given. */
type Load = (count: number) => Promise<void>;

const HEAD = {
  method: "GET",
  url: "/",
  httpVersion: "1.1",
  rawHeaders: ["Host", "localhost", "Accept", "*/*"],
  remoteAddress: "192.0.2.17",
  remotePort: 51_234,
  localAddress: "192.0.2.1",
  localPort: 443,
  params: {},
} as unknown as RequestHead;

/** (req, res) alone: from a request head to the bytes of its answer, which nobody gets. */
function alone(application: Application): Load {
  const server = new HttpServer();
  const prototypes = new Prototypes();
  prototypes.declare(application);
  let sent = 0;
  const carrier = {
    protocol: "fastcgi",
    role: "responder",
    head: HEAD,
    queuedBytes: 0,
    send: (_head: unknown, chunks: readonly Uint8Array[], _end: boolean, written?: () => void) => {
      sent += chunks.length;
      if (written !== undefined) process.nextTick(written);
      return true;
    },
    want: () => undefined,
    giveUp: () => undefined,
  } as unknown as Carrier;
  return async (count) => {
    sent = 0;
    for (let i = 0; i < count; i++) {
      const side = new NodeRequest(carrier, server, prototypes);
      application(side.req, side.res);
      prototypes.observe(side.req, side.res, server);
      side.bodyEnd();
      if (i % LANES === 0) await new Promise((turn) => setImmediate(turn));
    }
    if (sent !== count) throw new Error(`${sent} answers to ${count} requests`);
  };
}

const bytes = Buffer.concat(readsOf("fastcgi", REQUESTS["small GET"]!).map((read) => read.bytes));

/** One connection: a request as soon as the answer to the last is whole. */
class Lane {
  readonly #socket: Socket;
  #left = 0;
  #received = "";
  #finished: (() => void) | undefined;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.setEncoding("latin1").on("data", (text: string) => this.#take(text));
  }

  run(count: number): Promise<void> {
    this.#left = count;
    this.#socket.write(bytes);
    return new Promise((finished) => {
      this.#finished = finished;
    });
  }

  #take(text: string): void {
    this.#received += text;
    // END_REQUEST is the last record; it says nothing but zeros here.
    if (!this.#received.endsWith("\x01\x03\x00\x01\x00\x08\x00\x00\0\0\0\0\0\0\0\0")) return;
    if (!this.#received.includes("hello world")) throw new Error("another answer");
    this.#received = "";
    this.#left--;
    if (this.#left > 0) this.#socket.write(bytes);
    else this.#finished?.();
  }

  close(): void {
    this.#socket.destroy();
  }
}

const folder = mkdtempSync(join(tmpdir(), "postern-bench-"));
const closings: (() => unknown)[] = [];

/** Socket to socket. */
async function overSockets(application: Application): Promise<Load> {
  const socket = join(folder, `${closings.length}`);
  const server: Server = await serve(application, { socket }).ready();
  const lanes = Array.from({ length: LANES }, () => new Lane(socket));
  closings.push(() => {
    for (const lane of lanes) lane.close();
    return server.shutdown();
  });
  return async (count) => {
    await Promise.all(lanes.map((lane) => lane.run(count / LANES)));
  };
}

/** CPU microseconds of a request, least of all rounds; rows take turns in going first. */
async function measure(loads: readonly Load[]): Promise<number[]> {
  const least = loads.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < loads.length; turn++) {
      const row = (round + turn) % loads.length;
      const before = process.cpuUsage();
      await loads[row]!(REQUEST_COUNT);
      const { user, system } = process.cpuUsage(before);
      least[row] = Math.min(least[row]!, (user + system) / REQUEST_COUNT);
    }
  }
  return least;
}

const line = (cells: readonly string[]): void =>
  console.log(
    `| ${cells.map((cell, i) => (i < 2 ? cell.padEnd(24) : cell.padStart(8))).join(" | ")} |`,
  );

console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}`);
line(["what", "prototypes", "CPU µs", "ratio"]);
console.log(`|${[26, 26, 10, 10].map((width) => "-".repeat(width)).join("|")}|`);

async function table(
  what: string,
  rows: readonly [string, Application | undefined][],
  load: (application: Application) => Load | Promise<Load>,
): Promise<void> {
  const present = rows.filter((row): row is [string, Application] => row[1] !== undefined);
  const loads: Load[] = [];
  for (const [, application] of present) loads.push(await load(application));
  const figures = await measure(loads);
  for (const [row, [title]] of present.entries()) {
    const ratio = figures[row]! / figures[0]!;
    line([what, title, figures[row]!.toFixed(1), ratio.toFixed(2)]);
  }
}

const rows = [
  ["not swapped", emulated(false, false)],
  ["swapped, declared", emulated(true, true)],
  ["swapped, not declared", emulated(true, false)],
] as const;
try {
  await table(
    "req and res alone",
    rows.map((row) => [...row]),
    alone,
  );
  await table(
    "socket to socket",
    rows.map((row) => [...row]),
    overSockets,
  );
  await table(
    "Express, sockets",
    [
      ["declared", express(true)],
      ["not declared", express(false)],
    ],
    overSockets,
  );
} finally {
  for (const close of closings) await close();
  rmSync(folder, { recursive: true, force: true });
}
