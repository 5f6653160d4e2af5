/**
 * A configuration → a running target (target-program.ts), what it says, and what Linux says of it.
 *
 * Judges only by `expectCalm`: what has to be so after every fault (reliability §3.3).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { request } from "../../src/client/client.ts";
import type { ServeOptions } from "../../src/serve/options.ts";
import { bundleApart } from "../support/apart.ts";
import { until } from "../support/behaviour.ts";
import { type Configuration, wayOf } from "../support/engines.ts";
import { Room } from "../support/front/ports.ts";
import type { Place } from "../support/server-room.ts";
import type { FramedProtocol } from "../support/transcript.ts";
import { type Facts, PROTOCOLS, type Question, SECRET } from "./target-words.ts";

/** In which a good request is answered after a fault. */
const GOOD_MS = 100;
/** The best of so many counts: a busy machine may be late, a slot that is taken is late always. */
const TRIES = 10;
/** Until everything a fault held is free; longer than lingering, which may take 2 s. */
const FREE_MS = 8_000;

/** How a target is started. */
export interface TargetOptions {
  readonly options?: ServeOptions;
  /** Of node, before the program. */
  readonly nodeFlags?: readonly string[];
  /** A program and its words, which becomes node or starts it. */
  readonly launcher?: readonly string[];
  /** Another addon than the one that is built here. */
  readonly addon?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One running target. */
export class Target {
  /** What it wrote, line by line. */
  readonly lines: string[] = [];
  readonly configuration: Configuration;
  readonly #child: ChildProcess;
  readonly #room: Room;
  #ports: Readonly<Record<string, number>> = {};
  #baseline = 0;

  private constructor(child: ChildProcess, room: Room, configuration: Configuration) {
    this.#child = child;
    this.#room = room;
    this.configuration = configuration;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.lines.push(...text.split("\n").filter((line) => line !== ""));
      });
    }
  }

  /** Starts one; each of its servers has answered once. */
  static async start(configuration: Configuration, how: TargetOptions = {}): Promise<Target> {
    const room = new Room("fault");
    const program = join(import.meta.dirname, "target-program.ts");
    const text = `import { runTarget } from ${JSON.stringify(program)}; await runTarget();`;
    const file = await bundleApart(room.path, "target.mjs", text);
    if (how.addon !== undefined) {
      copyFileSync(how.addon, room.file("build/Release/postern.node"));
    }
    const words = { folder: room.path, way: wayOf(configuration), options: how.options ?? {} };
    const node = [process.execPath, "--expose-gc", ...(how.nodeFlags ?? [])];
    const [command, ...rest] = [...(how.launcher ?? []), ...node, file, JSON.stringify(words)];
    const env = { ...process.env, NODE_OPTIONS: "", ...how.env };
    const child = spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe", "ipc"], env });
    const target = new Target(child, room, configuration);
    const { ports } = (await target.#told("ports")) as { ports: Record<string, number> };
    target.#ports = ports;
    for (const protocol of PROTOCOLS) {
      for (const place of ["unix", "tcp"] as const) await target.ask(protocol, place);
    }
    await until(async () => (await target.facts()).connections === 0);
    target.#baseline = target.descriptors;
    return target;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Where its clients connect to. */
  reach(protocol: FramedProtocol, place: Place): { path: string } | { port: number; host: string } {
    return place === "unix"
      ? { path: this.#room.file(`${protocol}.sock`) }
      : { port: this.#ports[protocol]!, host: "127.0.0.1" };
  }

  /** One good request over a connection of its own; its text and how long it took. */
  async ask(protocol: FramedProtocol, place: Place, url = "/"): Promise<[string, number]> {
    const reach = this.reach(protocol, place);
    const address = "path" in reach ? { socket: reach.path } : reach;
    const began = performance.now();
    const response = await request({ protocol, address, secret: SECRET, url });
    return [await response.text(), performance.now() - began];
  }

  /** What it says of itself. */
  async facts(said: Question = {}): Promise<Facts> {
    const told = this.#told("inFlight");
    if (this.#child.connected) this.#child.send(said);
    return (await told) as Facts;
  }

  /** The next message with this word: servers tell the parent of their process that they are ready, too. */
  #told(word: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#child.off("message", hear).off("close", end);
      };
      const hear = (message: unknown): void => {
        if (typeof message !== "object" || message === null || !(word in message)) return;
        settle();
        resolve(message);
      };
      const end = (): void => {
        settle();
        reject(new Error(`the target is gone: ${this.lines.join(" | ")}`));
      };
      this.#child.on("message", hear).on("close", end);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) end();
    });
  }

  /** Nobody reads its standard error any more. */
  closeErrors(): void {
    this.#child.stderr?.destroy();
  }

  /** Descriptors that it has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Resident memory now, or the most since `forgetPeak`, in MiB. */
  residentMiB(which: "VmRSS" | "VmHWM" = "VmRSS"): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(new RegExp(`^${which}:\\s+(\\d+)`, "m").exec(status)![1]) / 1024;
  }

  /** The peak begins anew (proc(5), clear_refs). */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  /**
   * What has to be so after every fault: a good request is answered within 100 ms, descriptors and requests in flight are
   * where they were, the process lives, and it has said nothing but what is expected.
   */
  async expectCalm(
    protocol: FramedProtocol,
    place: Place,
    expected: readonly RegExp[] = [],
  ): Promise<void> {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TRIES && best >= GOOD_MS; i++) {
      const [text, ms] = await this.ask(protocol, place);
      expect(text).toBe("hi");
      best = Math.min(best, ms);
    }
    expect(best).toBeLessThan(GOOD_MS);
    await this.expectFree();
    const strange = this.lines.filter((line) => !expected.some((one) => one.test(line)));
    expect(strange).toEqual([]);
  }

  /** Descriptors, connections and requests in flight are where they were at the start, or get there soon. */
  async expectFree(): Promise<void> {
    const before = { inFlight: 0, connections: 0, descriptors: this.#baseline };
    let now: object = {};
    const isFree = async (): Promise<boolean> => {
      const { inFlight, connections } = await this.facts();
      now = { inFlight, connections, descriptors: this.descriptors };
      return JSON.stringify(now) === JSON.stringify(before);
    };
    await until(isFree, FREE_MS).catch(() => undefined);
    expect(now).toEqual(before);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null;
    if (!isOver) {
      const over = once(this.#child, "exit");
      if (this.#child.connected) this.#child.disconnect();
      const force = setTimeout(() => this.#child.kill("SIGKILL"), 3_000);
      await over;
      clearTimeout(force);
    }
    this.#room.remove();
  }
}
