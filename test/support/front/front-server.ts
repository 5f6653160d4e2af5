/**
 * A server's program and its rendered configuration → a running front server with its error log.
 *
 * Renders nothing itself: nginx.ts, apache.ts, lighttpd.ts and haproxy.ts do. One instance serves a whole
 * test file; what a test file does not expect in the error log is a failure of that file.
 */
import { existsSync, readFileSync } from "node:fs";
import { Child, findProgram } from "./child.ts";
import { isStrict } from "./gateway.ts";
import { type Room, whenListening } from "./ports.ts";

/** How a front server is started and judged. */
export interface FrontStart {
  readonly program: string;
  readonly parameters: readonly string[];
  /** A port it listens on when it is ready. */
  readonly port: number;
  /** Its error log; undefined: its stderr. */
  readonly log?: string;
  /** Lines of the log that are never right. */
  readonly complaint: RegExp;
  readonly env?: NodeJS.ProcessEnv;
  readonly room: Room;
}

/** A running front server. */
export class FrontServer {
  readonly child: Child;
  readonly room: Room;
  readonly #start: FrontStart;

  private constructor(child: Child, start: FrontStart) {
    this.child = child;
    this.room = start.room;
    this.#start = start;
  }

  /** Starts a server in the foreground; resolves when it accepts. */
  static async start(start: FrontStart): Promise<FrontServer> {
    const child = new Child(start.program, start.parameters, {
      cwd: start.room.path,
      ...(start.env ? { env: start.env } : {}),
    });
    const server = new FrontServer(child, start);
    try {
      await whenListening({ host: "127.0.0.1", port: start.port }, () => child.isAlive);
    } catch (error) {
      await child.stop();
      const lines = server.logLines().join(" | ");
      throw new Error(`${start.program} did not start: ${lines}`, { cause: error });
    }
    return server;
  }

  /** Every line of the error log so far. */
  logLines(): string[] {
    const { log } = this.#start;
    const kept = log !== undefined && existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
    return [...kept.filter((line) => line !== ""), ...this.child.lines];
  }

  /** Lines that are never right, without those that the caller expects. */
  complaints(expected: readonly RegExp[] = []): string[] {
    return this.logLines().filter(
      (line) => this.#start.complaint.test(line) && !expected.some((one) => one.test(line)),
    );
  }

  async stop(): Promise<void> {
    await this.child.stop("SIGTERM");
  }
}

/** Why a server's tests cannot run here, or undefined when they can. */
export function serverObstacle(name: string, module?: string): string | undefined {
  if (findProgram(name) === undefined) return `${name} is not installed`;
  if (module !== undefined && !existsSync(module)) return `${module} is not installed`;
  return undefined;
}

/** What `ctx` of a test must offer for {@link unlessObstacle}. */
interface Skippable {
  skip(note?: string): never;
}

/** Skips a test for a reason, by name; fails it instead where CI=true. */
export function unlessObstacle(context: Skippable, obstacle: string | undefined): void {
  if (obstacle === undefined) return;
  if (isStrict) throw new Error(`CI=true and ${obstacle}`);
  context.skip(obstacle);
}
