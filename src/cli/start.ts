/**
 * A command to serve → a running server, its start line on stderr, and what becomes of errors.
 *
 * Never writes to descriptor 1 and never touches stdin: a web server may have put its own sockets there. What serving
 * means is serve/serve.ts's.
 */
import type { IncomingMessage } from "node:http";
import { inspect } from "node:util";
import { ProtocolError } from "../errors.ts";
import type { Server } from "../server/server.ts";
import type { BoundAddress } from "../server/settings.ts";
import { whileInUse } from "../serve/address-retry.ts";
import { normalizeOptions, type ServeOptions } from "../serve/options.ts";
import { serve } from "../serve/serve.ts";
import { startLine } from "../serve/start-line.ts";
import type { Application } from "../serve/application.ts";
import type { ServeCommand } from "./arguments.ts";
import { loadApp } from "./load-app.ts";
import { disarmDebugger, stopOnSignals } from "./signals.ts";

/** Prints one line of ours. */
export function say(line: string): void {
  process.stderr.write(`postern: ${line}\n`);
}

/** A server that listens, and where. */
interface Started {
  readonly server: Server;
  readonly bound: BoundAddress;
}

/** Serves an application; resolves when it listens. */
export function listening(app: Application, options: ServeOptions): Promise<Started> {
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

/** What an error is about: `error in GET /path`, without the query, which may hold secrets. */
function named(error: unknown, request: IncomingMessage | Request | undefined): string {
  // Nobody's request: it was refused before it became one.
  if (error instanceof ProtocolError) return "refused a request of the web server";
  if (request === undefined) return "error in the application";
  const url = request.url ?? "";
  return `error in ${request.method} ${url.split("?", 1)[0]}`;
}

/** What the start line has to add. */
function notesOf(command: ServeCommand): string[] {
  return command.daemonExpected
    ? ["It stays in the foreground, since daemonize comes in a later release."]
    : [];
}

/** An error that nobody caught: Node would end the process as well, but say less about where it came from. */
export function reportUncaught(error: unknown, origin: string): void {
  // An application with a listener of its own has decided what shall happen.
  if (process.listenerCount("uncaughtException") > 1) return;
  say(`${origin} in the application, ending: ${inspect(error)}`);
  process.exit(1);
}

/** Loads the application. One whose promise never settles would end the process, well as it seems, with status 0. */
export async function applicationOf(written: string): Promise<Application> {
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

/** As in runfcgi, the mask holds for every file of the application, and not for the socket alone. */
export function applyUmask({ options: { umask } }: ServeCommand): void {
  if (umask !== undefined) process.umask(Number.parseInt(String(umask).replace("o", ""), 8));
}

/** The options of a command, with errors told on stderr. */
export function optionsOf(command: ServeCommand): ServeOptions {
  return {
    ...command.options,
    onError(error, request) {
      const shown = command.debug || !(error instanceof Error) ? inspect(error) : String(error);
      say(`${named(error, request)}: ${shown}`);
    },
  };
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
  applyUmask(command);
  const app = await applicationOf(command.app);
  const options = optionsOf(command);
  const { server, bound } = await whileInUse(() => listening(app, options));
  stopOnSignals(server, bound, timeouts, say);
  process.stderr.write(`${startLine(server, process.pid, notesOf(command))}\n`);
}
