/**
 * A worker process or thread: its first order → the application, served on the descriptor that it inherited.
 *
 * It loads the application, tells the primary when it listens, and leaves when it is told to or when the primary is gone.
 * How many there are, and when, is workers/pool.ts's.
 */
import { inspect } from "node:util";
import { isMainThread } from "node:worker_threads";
import { closePassed, type PassedSocket } from "../connection/passed-socket.ts";
import { findDuplication } from "../engine/select.ts";
import type { Taker } from "../server/departures.ts";
import type { Server } from "../server/server.ts";
import { told } from "../server/told.ts";
import type { ResolvedOptions } from "../server/settings.ts";
import { readSamples, type Samples } from "../observe/series.ts";
import { standAs } from "../observe/server-status.ts";
import { countRequests } from "../observe/status-path.ts";
import { normalizeOptions, type ServeOptions } from "../serve/options.ts";
import { logsClosed, reopenLogs } from "../observe/line-log.ts";
import { UsageError } from "../errors.ts";
import { linkToMainThread } from "../workers/thread-link.ts";
import { type Load, LoadMeter } from "../workers/load.ts";
import { type Obey, type PrimaryLink, linkToPrimary } from "../workers/primary-link.ts";
import type { Order, ReadyFacts, Report } from "../workers/messages.ts";
import { readArguments, type ServeCommand } from "./arguments.ts";
import { AppFailure } from "./load-app.ts";
import { commandFrom } from "./paths.ts";
import { applicationOf, listening, optionsOf, reportUncaught } from "./start.ts";
import { disarmDebugger } from "./signals.ts";

/** The options less those that say where: that is the inherited descriptor. */
function onDescriptor(command: ServeCommand, fd: number): ServeOptions {
  const {
    socket: _s,
    path: _p,
    host: _h,
    port: _n,
    mode: _m,
    umask: _u,
    status: _status,
    ...rest
  } = command.options;
  const { owner: _o, group: _g, ...options } = rest;
  return { ...optionsOf({ ...command, options }), fd };
}

function factsOf(server: Server): ReadyFacts {
  const { engine, transport, protocols, note } = server;
  return {
    protocols,
    engine: `${engine.name} (${engine.reason})`,
    transport: transport === undefined ? "" : `${transport.name} (${transport.reason})`,
    note: note ?? "",
  };
}

/** What the primary is told of an error before the worker listens. */
function failureOf(error: unknown): Report {
  const isMistake = error instanceof UsageError && error.code !== "ERR_APP_START";
  const isNamed = error instanceof UsageError || error instanceof AppFailure;
  const sentence = isNamed ? error.message : inspect(error);
  const detail = isNamed && !isMistake ? inspect(error.cause) : "";
  const code = error instanceof UsageError ? error.code : "";
  return { kind: "failed", sentence, code, detail, status: isMistake ? 2 : 1 };
}

/** Takes over a connection that another worker gave away, and says whether it could. */
function take(server: Server, link: PrimaryLink, ticket: number, passed?: PassedSocket): void {
  let taken = false;
  try {
    if (passed !== undefined && server.listening) {
      server.passage.adopt(passed);
      taken = true;
    } else if (passed !== undefined) closePassed(passed);
  } catch {
    // For want of descriptors: it is closed here, and the primary still has it for another worker.
  }
  link.report({ kind: "taken", ticket, taken });
}

/** Does what the primary says, until the end. */
function obeyer(server: Server, link: PrimaryLink, drainMs: number): Obey {
  const { departures } = server.passage;
  const giver =
    (to: number): Taker =>
    (passed, done) =>
      link.give(passed, to, done);
  let isLeaving = false;
  const leave = (handOver: boolean): void => {
    if (handOver) departures.retire(giver(0));
    else departures.stay();
    if (isLeaving) {
      // From handing over to draining, when nobody is left to take anything.
      if (!handOver) server.close();
      return;
    }
    isLeaving = true;
    server.close(async () => {
      await told();
      await logsClosed();
      link.end(0);
    });
    if (drainMs > 0) setTimeout(() => server.closeAllConnections(), drainMs).unref();
  };
  return (order, passed) => {
    if (order.kind === "retire") leave(order.handOver);
    else if (order.kind === "reopen") reopenLogs();
    else if (order.kind === "take") take(server, link, order.ticket, passed);
    else if (order.kind === "yield" && !isLeaving) {
      departures.yield(order.count, giver(order.to), order.share);
    }
  };
}

/**
 * Has a worker count for the status that the primary serves, where it is asked for.
 *
 * @returns what it has counted, by name
 */
function counting(server: Server, { status, statusPath }: ResolvedOptions): () => Samples {
  if (status === undefined) return () => ({});
  // With a path of its own it counts already.
  if (statusPath === undefined) countRequests(server);
  return () => readSamples(server.figures);
}

async function serveWhat(order: Order & { kind: "begin" }, link: PrimaryLink): Promise<void> {
  process.env["POSTERN_WORKER"] = String(order.id);
  const written = readArguments(order.words) as ServeCommand;
  const isMoved = written.processes.workdir !== undefined;
  const command = isMoved ? commandFrom(order.folder, written) : written;
  const asked = normalizeOptions(command.options, process.env);
  // The primary serves it.
  delete process.env["POSTERN_STATUS"];
  const options = onDescriptor(command, link.listener(order.fd));
  const { timeouts } = normalizeOptions(options, process.env);
  const app = await applicationOf(command.app);
  // Its primary died while it loaded: what it accepted now it would have to give up at once.
  if (isMainThread && !process.connected) return link.end(1);
  const { server } = await listening(app, options);
  standAs(server, {
    id: order.id,
    generation: order.generation,
    method: isMainThread ? "prefork" : "threaded",
    address: order.address,
  });
  const obey = obeyer(server, link, timeouts.drain);
  if (command.processes.recycling.maxRequests === 1) {
    // One request, and its successor has the code of the next one's moment.
    server.prependOnceListener("request", () => {
      link.report({ kind: "worn" });
      obey({ kind: "retire", handOver: false }, undefined);
    });
  }
  link.report({ kind: "ready", facts: factsOf(server) });
  link.onOrder(obey);
  const report = (load: Load): void => link.report({ kind: "load", load });
  new LoadMeter(server, counting(server, asked), report).start();
}

async function main(): Promise<void> {
  disarmDebugger();
  const link = isMainThread ? linkToPrimary() : linkToMainThread(findDuplication().duplicate!);
  process.on("uncaughtException", reportUncaught);
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  try {
    await serveWhat(await link.begin, link);
  } catch (error) {
    link.report(failureOf(error));
    link.end(1);
  }
}

void main();
