/**
 * A server under test as a process of its own: three protocols on a unix socket and on TCP each, and an application whose
 * paths are what faults need. Tells its parent what it has in flight; descriptors the parent counts itself.
 *
 * The parent bundles it (target.ts). It ends with its parent, and at the first unhandled rejection, as Node does.
 */
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import type { ServeOptions } from "../../src/serve/options.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { type Facts, PROTOCOLS, type Question, SECRET, type TargetWords } from "./target-words.ts";

const CHUNK = Buffer.alloc(65_536, "x");
const MIB = 1_048_576;

const words = JSON.parse(process.argv[2]!) as TargetWords;
const servers: Server[] = [];
let aborted = 0;

const numberOf = (req: GatewayRequest): number => Number(req.url?.split("?")[1] ?? 0);

/** Writes as a careful application does: no more than is taken. */
async function writeMuch(out: Writable, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !out.destroyed; sent += CHUNK.length) {
    if (out.write(CHUNK) || out.destroyed) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        out.off("drain", go).off("close", go);
        resolve();
      };
      out.on("drain", go).on("close", go);
    });
  }
}

/** An answer of single bytes, each written in a turn of its own. */
async function dribble(req: GatewayRequest, res: ServerResponse): Promise<void> {
  for (let i = numberOf(req); i > 0 && !res.destroyed; i--) {
    res.write("x");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** By the path, without the query; what is not here says "hi" at once. */
const PATHS: Readonly<Record<string, NodeHandler>> = {
  /** The length of the body. */
  async "/count"(req, res) {
    let bytes = 0;
    for await (const chunk of req) bytes += (chunk as Buffer).length;
    res.end(String(bytes));
  },
  async "/dribble"(req, res) {
    await dribble(req, res);
    res.end();
  },
  "/hanging": dribble,
  async "/much"(req, res) {
    await writeMuch(res, numberOf(req) * MIB);
    res.end();
  },
  async "/errors"(req, res) {
    await writeMuch(req.gateway.errors, numberOf(req) * MIB);
    res.end("said");
  },
  "/never"() {
    // The peer goes away, or its patience does.
  },
  "/blocked"(req, res) {
    const end = performance.now() + numberOf(req);
    while (performance.now() < end);
    res.end("late");
  },
};

const handler: NodeHandler = async (req, res) => {
  res.on("close", () => {
    if (!res.writableFinished) aborted++;
  });
  const path = req.url?.split("?")[0] ?? "";
  try {
    await (PATHS[path] ?? (() => res.end("hi")))(req, res);
  } catch (error) {
    // An aborted request fails where its body is read; that is what the application is told, and no more.
    if (!req.gateway.aborted) throw error;
  }
};

function facts(): Facts {
  const sum = (one: (server: Server) => number): number =>
    servers.reduce((total, server) => total + one(server), 0);
  return {
    inFlight: sum(({ traffic }) => traffic.inFlight),
    connections: sum(({ traffic }) => traffic.connections),
    requests: sum(({ traffic }) => traffic.requests),
    handles: process.getActiveResourcesInfo().filter((name) => !/Timeout|Immediate|Req/.test(name)),
    aborted,
    memory: process.memoryUsage(),
  };
}

async function openAll(): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  // One line each, by which they are expected or not.
  const onError = (error: unknown): void => {
    console.log((error as { code?: string }).code ?? String(error));
  };
  const options: ServeOptions = { onError, ...words.options, ...words.way };
  const ajp = { secret: SECRET };
  for (const protocol of PROTOCOLS) {
    const socket = join(words.folder, `${protocol}.sock`);
    servers.push(serve(handler, { ...options, ajp, protocol, socket }));
    const tcp = serve(handler, { ...options, ajp, protocol, host: "127.0.0.1", port: 0 });
    servers.push(tcp);
    await Promise.all(servers.map((server) => server.ready()));
    ports[protocol] = (tcp.address() as AddressInfo).port;
  }
  return ports;
}

/** Opens the servers, says so, and answers the parent's questions until it goes away. */
export async function runTarget(): Promise<void> {
  const collect = (globalThis as { gc?: () => void }).gc;
  const realNow = Date.now.bind(Date);
  process.on("disconnect", () => process.exit());
  process.on("message", ({ collect: isWanted, shiftMs }: Question) => {
    if (shiftMs !== undefined) Date.now = () => realNow() + shiftMs;
    if (isWanted === true) collect?.();
    process.send?.(facts());
  });
  // Made now, so that the first line said is no handle more.
  for (const stream of [process.stdout, process.stderr]) stream.write("");
  const ports = await openAll();
  process.send?.({ ports });
}
