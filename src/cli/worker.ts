/**
 * A worker process or thread: its first order → the application, served on the descriptor that it inherited.
 *
 * It loads the application, tells the primary when it listens, and leaves when it is told to or when the primary is gone.
 * How many there are, and when, is workers/pool.ts's.
 */
import { inspect } from "node:util";
import type { Server } from "../server/server.ts";
import { told } from "../server/server.ts";
import { normalizeOptions, type ServeOptions } from "../serve/options.ts";
import { UsageError } from "../errors.ts";
import { type PrimaryLink, linkToPrimary } from "../workers/primary-link.ts";
import type { Order, ReadyFacts, Report } from "../workers/messages.ts";
import { readArguments, type ServeCommand } from "./arguments.ts";
import { AppFailure } from "./load-app.ts";
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

/** Lets the server finish what runs, and ends the process when nothing is left. */
function leave(server: Server, link: PrimaryLink, drainMs: number): void {
  server.close(async () => {
    await told();
    link.end(0);
  });
  if (drainMs > 0) setTimeout(() => server.closeAllConnections(), drainMs).unref();
}

async function serveWhat(order: Order & { kind: "begin" }, link: PrimaryLink): Promise<void> {
  const command = readArguments(order.words) as ServeCommand;
  const options = onDescriptor(command, order.fd);
  const { timeouts } = normalizeOptions(options, process.env);
  const app = await applicationOf(command.app);
  const { server } = await listening(app, options);
  let isLeaving = false;
  const goOnce = (): void => {
    if (isLeaving) return;
    isLeaving = true;
    leave(server, link, timeouts.drain);
  };
  link.onRetire(goOnce);
  link.report({ kind: "ready", facts: factsOf(server) });
}

async function main(): Promise<void> {
  disarmDebugger();
  const link = linkToPrimary();
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
