/**
 * A command to serve → a running server, its start line on stderr, and what becomes of errors.
 *
 * Never writes to descriptor 1 and never touches stdin: a web server may have put its own sockets there. What serving
 * means is serve/serve.ts's.
 */
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { ProtocolError } from "../errors.ts";
import type { Server } from "../server/server.ts";
import type { BoundAddress } from "../server/settings.ts";
import { normalizeOptions, type ServeOptions } from "../serve/options.ts";
import { serve } from "../serve/serve.ts";
import type { Application } from "../serve/application.ts";
import type { ServeCommand } from "./arguments.ts";
import { loadApp } from "./load-app.ts";
import { disarmDebugger, stopOnSignals } from "./signals.ts";
import { readVersion } from "./version.ts";

/** How long an address in use is tried again, in milliseconds: a restart script may overlap old and new. */
const RETRY_MS = 3_000;
const RETRY_PAUSE_MS = 150;
const RETRY_CODES: ReadonlySet<unknown> = new Set(["ERR_SOCKET_LIVE", "ERR_PORT_IN_USE"]);

/** Prints one line of ours. */
export function say(line: string): void {
  process.stderr.write(`postern: ${line}\n`);
}

/** A server that listens, and where. */
interface Started {
  readonly server: Server;
  readonly bound: BoundAddress;
}

function listening(app: Application, options: ServeOptions): Promise<Started> {
  return new Promise((resolve, reject) => {
    const server: Server = serve(app, {
      ...options,
      onListen(bound) {
        server.removeListener("error", reject);
        resolve({ server, bound });
      },
    });
    server.once("error", reject);
  });
}

/** Listens; where another instance holds the address, tries again for a while. */
async function listeningAtLast(app: Application, options: ServeOptions): Promise<Started> {
  const deadlineMs = performance.now() + RETRY_MS;
  for (;;) {
    try {
      return await listening(app, options);
    } catch (error) {
      const again = RETRY_CODES.has((error as { code?: unknown } | null)?.code);
      if (!again || performance.now() > deadlineMs) throw error;
    }
    await sleep(RETRY_PAUSE_MS);
  }
}

/** What an error is about: `error in GET /path`, without the query, which may hold secrets. */
function named(error: unknown, request: IncomingMessage | Request | undefined): string {
  // Nobody's request: it was refused before it became one.
  if (error instanceof ProtocolError) return "refused a request of the web server";
  if (request === undefined) return "error in the application";
  const url = request.url ?? "";
  return `error in ${request.method} ${url.split("?", 1)[0]}`;
}

function startLine({ server, bound }: Started, command: ServeCommand): string {
  const { name, reason } = server.engine;
  const notes = [
    bound.note,
    command.daemonExpected
      ? "It stays in the foreground, since daemonize comes in a later release."
      : undefined,
  ].filter((note) => note !== undefined);
  const facts =
    `postern ${readVersion()}: ${bound.protocols.join("+")} on ${bound.text}, ` +
    `engine ${name} (${reason}), pid ${process.pid}`;
  return notes.length === 0 ? facts : `${facts}. ${notes.join(" ")}`;
}

/** An error that nobody caught: Node would end the process as well, but say less about where it came from. */
function reportUncaught(error: unknown, origin: string): void {
  // An application with a listener of its own has decided what shall happen.
  if (process.listenerCount("uncaughtException") > 1) return;
  say(`${origin} in the application, ending: ${inspect(error)}`);
  process.exit(1);
}

/** Loads the application. One whose promise never settles would end the process, well as it seems, with status 0. */
async function loadAtLast(written: string): Promise<Application> {
  const stuck = (): void => {
    say(
      `Application module ${JSON.stringify(written)} is never ready: its promise is not settled and nothing is left ` +
        "to wait for; look at what it awaits.",
    );
    process.exit(1);
  };
  process.once("beforeExit", stuck);
  const app = await loadApp(written);
  process.removeListener("beforeExit", stuck);
  return app;
}

/**
 * Serves until a signal.
 *
 * @throws UsageError and AppFailure before it listens; nothing afterwards
 */
export async function start(command: ServeCommand): Promise<void> {
  disarmDebugger();
  process.on("uncaughtException", reportUncaught);
  // A log pipe that broke is no reason to stop serving.
  process.stderr.on("error", () => undefined);
  const { timeouts } = normalizeOptions(command.options, process.env);
  // As in runfcgi, the mask holds for every file of the application, and not for the socket alone.
  const { umask } = command.options;
  if (umask !== undefined) process.umask(Number.parseInt(String(umask).replace("o", ""), 8));
  const app = await loadAtLast(command.app);
  const started = await listeningAtLast(app, {
    ...command.options,
    onError(error, request) {
      const shown = command.debug || !(error instanceof Error) ? inspect(error) : String(error);
      say(`${named(error, request)}: ${shown}`);
    },
  });
  stopOnSignals(started.server, started.bound, timeouts, say);
  process.stderr.write(`${startLine(started, command)}\n`);
}
