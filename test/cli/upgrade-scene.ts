/**
 * A primary that is upgraded while requests come all the while, each on a connection of its own, a third of them with a body.
 *
 * Who serves is told by the application. Expects nothing; the folder and the processes are gone when the tests are.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "../../src/client/client.ts";
import { type Configuration, CONFIGURATIONS } from "../support/engines.ts";
import { endPrimary } from "./primaries.ts";
import { makeProgram, type Program, type Running } from "./program.ts";

const APP = `
require("./version.cjs");
module.exports = async (req, res) => {
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  res.end(process.ppid + " " + bytes);
};
`;
const BODY = Buffer.alloc(20_000, "b");
/** Longest life of a program under test, in milliseconds. */
export const LONGEST_MS = 280_000;

/** Every configuration that can run here. */
export const RUNNING: readonly Configuration[] = CONFIGURATIONS.filter(
  ({ create }) => create !== undefined,
).map(({ name }) => name);

/** Requests that come until they are stopped. */
export class Load {
  served = 0;
  readonly failures: string[] = [];
  readonly #socket: string;
  #isOn = true;
  readonly #loops: Promise<void>[];

  constructor(socket: string) {
    this.#socket = socket;
    this.#loops = [0, 1, 2].map((loop) => this.#run(loop === 0));
  }

  async #run(hasBody: boolean): Promise<void> {
    const address = { socket: this.#socket };
    const options = hasBody ? { method: "POST", body: BODY } : {};
    while (this.#isOn) {
      try {
        const answer = await request({ protocol: "fastcgi", address, url: "/", ...options });
        const text = await answer.text();
        if (!text.endsWith(hasBody ? " 20000" : " 0")) this.failures.push(text);
        this.served++;
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#loops);
  }
}

/** A program, and how to look at it. */
export interface Scene {
  readonly program: Program;
  readonly control: string;
  at(name: string): string;
  /** Writes a module that the application loads. */
  put(code: string): void;
  begin(): Promise<Running>;
  /** The primary of whoever answers. */
  parent(): Promise<number>;
  end(): Promise<void>;
}

/** Makes a scene in one configuration. */
export async function makeScene(configuration: Configuration): Promise<Scene> {
  const program = await makeProgram(configuration);
  const at = (name: string): string => join(program.folder, name);
  const put = (code: string): void => writeFileSync(at("version.cjs"), code);
  writeFileSync(at("app.cjs"), APP);
  return {
    program,
    control: at("s.control"),
    at,
    put,
    async begin(): Promise<Running> {
      put("");
      const words = ["app.cjs", "--socket", "s", "--workers", "2"];
      const running = program.start(words, { longestMs: LONGEST_MS });
      await running.started;
      return running;
    },
    async parent(): Promise<number> {
      const address = { socket: at("s") };
      return Number.parseInt(await (await request({ protocol: "fastcgi", address })).text(), 10);
    },
    end: () => endPrimary(program),
  };
}

/** The primary that a primary has started, once it is there. */
export function successorOf(parent: number): number | undefined {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return status.includes(`PPid:\t${parent}\n`) && words.includes("cli.cjs");
    } catch {
      return false;
    }
  });
}
