/**
 * When a process ends by itself that has a server: in every configuration as with node:http, asked in the same run.
 * Each in a process of its own. Signals are test/cli's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleApart } from "../support/apart.ts";
import { type Configuration, wayOf } from "../support/engines.ts";
import { Room } from "../support/front/ports.ts";
import { eachEngine } from "../support/transcript.ts";

/** Says its words to a server, one after the other; one that begins with a plus once a connection is there. */
const PROGRAM = `
import { createServer } from "node:http";
import { once } from "node:events";
import { serve } from "postern-src/serve/serve.ts";
const [way, socket, ...words] = process.argv.slice(2);
const server = way === "node:http"
  ? createServer((req, res) => res.end("hi")).listen(socket)
  : serve((req, res) => res.end("hi"), { ...JSON.parse(way), socket, protocol: "auto" });
if (!server.listening) await once(server, "listening");
for (const word of words.filter((one) => !one.startsWith("+"))) server[word]();
console.log("ready");
const later = words.find((one) => one.startsWith("+"));
if (later !== undefined) {
  const timer = setInterval(() => server.getConnections((error, count) => {
    if (count === 0) return;
    clearInterval(timer);
    server[later.slice(1)]();
    console.log("later");
  }), 5);
}
`;

/** Long enough for a process with nothing to do to end. */
const STAYS_MS = 300;

let room: Room;
let file: string;
let count = 0;
const children: ChildProcess[] = [];
beforeAll(async () => {
  room = new Room("own-end");
  file = await bundleApart(room.path, "program.mjs", PROGRAM);
});
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  room.remove();
});

/** A started program; `line` resolves with its next line. */
interface Started {
  readonly child: ChildProcess;
  readonly socket: string;
  line(): Promise<string>;
}

function start(way: string, ...words: string[]): Started {
  const socket = room.file(`${count++}.sock`);
  const child = spawn(process.execPath, [file, way, socket, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  return { child, socket, line: async () => (await lines.next()).value ?? "" };
}

/** How it ends by itself; or, where it is not to, whether it is there after a while. */
async function fate({ child }: Started, ends: boolean): Promise<string> {
  const ended =
    child.exitCode === null
      ? once(child, "exit").then(([code, signal]) => `ended ${code ?? signal}`)
      : Promise.resolve(`ended ${child.exitCode}`);
  return ends ? ended : Promise.race([ended, sleep(STAYS_MS, "stays")]);
}

/** What becomes of a process whose server is told these words. */
async function told(way: string, ends: boolean, words: readonly string[]): Promise<string[]> {
  const started = start(way, ...words);
  expect(await started.line()).toBe("ready");
  if (words.some((word) => word.startsWith("+"))) {
    const socket = connect(started.socket).on("error", () => undefined);
    expect(await started.line()).toBe("later");
    const before = await fate(started, false);
    socket.destroy();
    return [before, await fate(started, ends)];
  }
  const last = await fate(started, ends);
  started.child.kill("SIGKILL");
  return [last];
}

const wordsOf = (configuration: Configuration): string => JSON.stringify(wayOf(configuration));

describe("a process with a server", () => {
  const cases = [
    { rule: "goes on while it listens", ends: false, words: [] },
    { rule: "ends when it is closed", ends: true, words: ["close"] },
    { rule: "ends when it is not counted (unref)", ends: true, words: ["unref"] },
    { rule: "goes on when it is counted again (ref)", ends: false, words: ["unref", "ref"] },
    { rule: "ends with its last connection, not before", ends: true, words: ["+unref"] },
  ];
  for (const { rule, ends, words } of cases) {
    let byNode: Promise<string[]> | undefined;
    eachEngine(rule, (configuration) => {
      test(`${rule} · ${configuration}`, async () => {
        byNode ??= told("node:http", ends, words);
        const expected = await byNode;
        expect(expected.at(-1)).toBe(ends ? "ended 0" : "stays");
        expect(await told(wordsOf(configuration), ends, words)).toEqual(expected);
      });
    });
  }
});
