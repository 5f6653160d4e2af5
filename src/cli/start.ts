/**
 * A command to serve → a running server, its start line on stderr, and what becomes of errors.
 *
 * Never writes to descriptor 1 and never touches stdin: a web server may have put its own sockets there. What serving
 * means is serve/serve.ts's.
 */
import type { IncomingMessage } from "node:http";
import { inspect } from "node:util";
import { OverdueError, ProtocolError } from "../errors.ts";
import type { GatewayRequest } from "../handler/node/request.ts";
import { knownRequestId } from "../http/request-id.ts";
import { onOneLine } from "../observe/log-text.ts";
import { reopenLogs } from "../observe/line-log.ts";
import type { Server } from "../server/server.ts";
import type { BoundAddress, ResolvedOptions, Timeouts } from "../server/settings.ts";
import { letGoOf } from "../server/standard-descriptor.ts";
import { TouchWatch } from "../workers/touch-watch.ts";
import { whileInUse } from "../serve/address-retry.ts";
import { normalizeOptions, type ServeOptions } from "../serve/options.ts";
import { serve } from "../serve/serve.ts";
import { startLine } from "../serve/start-line.ts";
import type { Application } from "../serve/application.ts";
import { datagrams, Service } from "../workers/service.ts";
import type { ServeCommand } from "./arguments.ts";
import { nowServing } from "./footing.ts";
import { controlPlace, openControl } from "./control-place.ts";
import { loadApp, moduleFile } from "./load-app.ts";
import { output, withStatus } from "./output.ts";
import { disarmDebugger, drain, obeyStops, reopenOnSignal } from "./signals.ts";
import { SingleControl } from "./single-control.ts";

/** Exit status of a mistake in options. */
const STATUS_USAGE = 2;

/** Prints one line of ours. */
export function say(line: string): void {
  output.say(line);
}

/** A server that listens, and where. */
interface Started {
  readonly server: Server;
  readonly bound: BoundAddress;
  /** Resolves with where its status is, once that is there: never where none is wished. */
  readonly shownAt: Promise<string>;
}

/** Serves an application; resolves when it listens. */
export function listening(app: Application, options: ServeOptions): Promise<Started> {
  return new Promise((resolve, reject) => {
    const server: Server = serve(app, {
      ...options,
      onListen(bound) {
        server.removeListener("error", reject);
        resolve({ server, bound, shownAt });
      },
    });
    server.once("error", reject);
    const shownAt = new Promise<string>((shown) => server.once("status", shown));
  });
}

type Shown = IncomingMessage | Request | undefined;

/** `GET /path [id]`, without the query, which may hold secrets. */
function requestName(request: NonNullable<Shown>): string {
  const { gateway } = request as Partial<GatewayRequest>;
  const id = gateway?.requestId ?? knownRequestId(request);
  const url = request.url ?? "";
  return `${request.method} ${url.split("?", 1)[0]}${id === undefined ? "" : ` [${id}]`}`;
}

/** What an error is about: `error in GET /path [id]`. */
function named(error: unknown, request: Shown): string {
  if (error instanceof OverdueError && request !== undefined) {
    return `gave up ${requestName(request)} after ${error.afterMs} ms`;
  }
  // Nobody's request: it was refused before it became one.
  if (error instanceof ProtocolError) return "refused a request of the web server";
  return request === undefined ? "error in the application" : `error in ${requestName(request)}`;
}

/** Is the address a socket that whoever started this process listens on, on descriptor 0? */
export function isSpawned(listen: ResolvedOptions["listen"]): boolean {
  return listen.kind === "inherited" || (listen.kind === "fd" && listen.fd === 0);
}

/**
 * Whether a touch of the application shall be heard on descriptor 0.
 *
 * A web server starts another process in the place of one that leaves. spawn-fcgi does not, and its children are init's by
 * then, so they stay unless somebody asks for it.
 */
export function wantsTouch({ processes: { touchReload } }: ServeCommand): boolean {
  return touchReload ?? process.ppid !== 1;
}

/**
 * The files whose touch means new code.
 *
 * @throws UsageError where the application has none
 */
export function filesOf({ app, processes: { touchFiles } }: ServeCommand): readonly string[] {
  return [moduleFile(app), ...touchFiles];
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

/** The options of a command, with errors told on stderr. */
export function optionsOf(command: ServeCommand): ServeOptions {
  return {
    ...command.options,
    onError(error, request) {
      const isWhole = command.processes.debug || !(error instanceof Error);
      const shown = isWhole ? inspect(error) : onOneLine(String(error));
      say(`${onOneLine(named(error, request))}: ${shown}`);
    },
  };
}

/** What of a command and its server the end needs. */
interface Ending extends Started {
  readonly timeouts: Timeouts;
  /** Tells the supervisor, and closes the control socket. */
  leaving(): void;
}

/** Lets what runs finish, and ends. */
function leave({ server, bound, timeouts, leaving }: Ending): void {
  leaving();
  drain(server, bound, timeouts);
  letGoOf(bound.fd);
}

/** Hears every signal from now on, and leaves by what is there by then. */
function obeySignals(ending: () => Ending | undefined, isSpawned: boolean): void {
  const stop = (signal: NodeJS.Signals): void => {
    const there = ending();
    if (there === undefined) {
      say(`${signal}: ending before it serves`);
      void output.end(1);
      return;
    }
    say(`${signal}: finishing what runs`);
    leave(there);
  };
  obeyStops({ stop, force: () => void output.end(1), isSpawned });
  reopenOnSignal(reopenLogs);
  process.on("SIGHUP", () => {
    // A terminal that goes away means what Ctrl-C means.
    if (output.isTerminal) return stop("SIGHUP");
    output.reopen();
    reopenLogs();
    say(
      "SIGHUP: a single process cannot load its code anew; start it with method=prefork for that",
    );
  });
}

/** Leaves when the application was touched, so that the web server that started this process starts a new one. */
function leaveWhenTouched(command: ServeCommand, paths: readonly string[], ending: Ending): void {
  const watch = new TouchWatch(paths, (path) => {
    // spawn-fcgi may have been there at the start, and be gone by now.
    if (!wantsTouch(command)) return;
    watch.close();
    say(`${path} was touched: leaving, once what runs is finished`);
    // In this turn's last phase: everybody who knocked has been let in.
    setImmediate(() => leave(ending));
  });
}

/** A supervisor, and the control socket where it was asked for. */
interface Attendance extends Pick<Ending, "leaving"> {
  ready(): void;
}

/**
 * Opens the control socket.
 *
 * @throws UsageError where it cannot be had
 */
async function attend(server: Server, { processes }: ServeCommand): Promise<Attendance> {
  const service = new Service(process.env, datagrams, false);
  const stop = (): void => void process.kill(process.pid, "SIGTERM");
  // Beside the socket nobody would look for one: a process that serves answers when it has time.
  const place =
    processes.control === undefined
      ? undefined
      : controlPlace(processes.control, undefined, undefined);
  const control = await openControl(place, new SingleControl(server, stop), say);
  return {
    ready: () => service.ready(`serving on ${server.where ?? ""}`),
    leaving(): void {
      control?.close();
      service.stopping("finishing what runs");
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
  output.takeOwn();
  const { timeouts, listen, status } = normalizeOptions(command.options, process.env);
  let ending: Ending | undefined;
  const spawned = isSpawned(listen);
  // Also where it ends otherwise: other processes may have the same socket.
  if (spawned) process.once("exit", () => letGoOf(0));
  obeySignals(() => ending, spawned);
  // Before the application may change the folder.
  const touchable = spawned && wantsTouch(command) ? filesOf(command) : [];
  const app = await applicationOf(command.app);
  const options = optionsOf(command);
  const started = await whileInUse(() => listening(app, options));
  const { server } = started;
  // Of its status: the server itself listens.
  server.once("error", (error: Error) => {
    say(error.message);
    void output.end(STATUS_USAGE);
  });
  const { ready, leaving } = await attend(server, command);
  ending = { ...started, timeouts, leaving };
  if (touchable.length > 0) leaveWhenTouched(command, touchable, ending);
  const where = status === undefined ? undefined : await started.shownAt;
  nowServing(command, withStatus(startLine(server, process.pid), where));
  ready();
}
