/**
 * Seeds of the fuzzers, changed at random, thrown at a running server over its socket; now and then a clean request, which
 * has to be answered (reliability Z8). The server is a process of its own: its end, its memory, what it prints and what it
 * did not catch are part of the verdict. `npm run fuzz -- socket --time T` goes on for longer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { bundleApart } from "../support/apart.ts";
import { wayOf } from "../support/engines.ts";
import { Room } from "../support/front/ports.ts";
import { readCorpus } from "../support/fuzz-inputs.ts";
import { PROPERTY_SEED } from "../support/properties.ts";
import { Random } from "../support/random.ts";
import { eachEngine } from "../support/transcript.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const timeMs = Number(process.env["POSTERN_FUZZ_MS"] || 0) / 9;
const STREAMS = isFull ? 20_000 : 160;
/** Streams between two clean requests, and connections at once. */
const CLEAN_EVERY = isFull || timeMs > 0 ? 1_000 : 80;
const AT_ONCE = 8;
const HEADER_BYTES = 3;
const MEBIBYTE = 1_048_576;
/** What a server may grow by, whatever comes. */
const GROWTH_MAX = 64 * MEBIBYTE;
/** A busy machine answers late; 100 ms is what the reference asks of a quiet one. */
const CLEAN_MS_MAX = timeMs > 0 ? 1_000 : 5_000;

const SERVER = `
import { serve } from "postern-src/serve/serve.ts";
const [, , socket, way, protocol] = process.argv;
const server = serve((req, res) => {
  if (req.url === "/never") return;
  req.on("error", () => undefined);
  if (req.method === "POST") req.pipe(res);
  else res.end("hello");
}, { protocol, socket, multiplex: true, onError: () => undefined, timeouts: { head: 2_000, body: 2_000 }, ...JSON.parse(way) });
await server.ready();
const stray = [];
for (const name of ["unhandledRejection", "uncaughtException"]) process.on(name, (error) => stray.push(String(error?.stack)));
process.on("message", (word) => {
  if (word === "facts") {
    globalThis.gc();
    server.getConnections((_, connections) => process.send({ rss: process.memoryUsage().rss, connections, stray }));
  } else { server.closeAllConnections(); server.shutdown().then(() => process.exit(0)); }
});
process.send("ready");
`;

interface Facts {
  readonly rss: number;
  readonly connections: number;
  readonly stray: readonly string[];
}

/** A stream of a seed: without the words for the fuzzer, and mostly changed. */
function streamOf(random: Random, seed: Uint8Array): Buffer {
  const notes = Math.min(seed[2] ?? 0, 160) * 4;
  const bytes = Buffer.from(seed.subarray(HEADER_BYTES + notes));
  for (let n = random.below(4); n > 0 && bytes.length > 0; n--) {
    const at = random.below(bytes.length);
    if (random.chance(50)) bytes[at] = random.below(256);
    else bytes[at] = bytes[at]! ^ (1 << random.below(8));
  }
  return random.chance(20) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

/** Sends a stream, in one piece or two, and ends in one of four ways; what comes is nobody's. */
async function send(random: Random, path: string, bytes: Buffer): Promise<void> {
  const socket = connect({ path, allowHalfOpen: true }).on("error", () => undefined);
  await once(socket, "connect");
  const closed = new Promise<void>((done) => void socket.once("close", () => done()));
  const cut = random.below(bytes.length + 1);
  const ending = random.below(4);
  socket.resume().write(bytes.subarray(0, cut));
  await new Promise((done) => setImmediate(done));
  if (socket.destroyed) return;
  socket.write(bytes.subarray(cut));
  if (ending === 0) socket.destroy();
  else if (ending === 1) socket.once("data", () => socket.destroy()).end();
  else socket.end();
  // Who waits for the rest of a request is let go by a deadline; nobody waits here for it.
  await Promise.race([closed, new Promise((done) => setTimeout(done, 30))]);
  socket.destroy();
}

let room: Room;
let file: string;
beforeAll(async () => {
  room = new Room("black-box");
  file = await bundleApart(room.path, "server.mjs", SERVER);
});
afterAll(() => room.remove());

async function factsOf(child: ChildProcess): Promise<Facts> {
  child.send("facts");
  const [facts] = await once(child, "message");
  return facts as Facts;
}

eachEngine("mutated seeds over a socket", (configuration) => {
  describe.each(["fastcgi", "scgi", "ajp"] as const)(`%s · ${configuration}`, (protocol) => {
    test(
      `mutated seeds over a socket leave the server as it was (POSTERN_SEED=${PROPERTY_SEED})`,
      async () => {
        const path = join(room.path, `${protocol}-${configuration.replace(" ", "-")}.sock`);
        const words = ["--expose-gc", file, path, JSON.stringify(wayOf(configuration)), protocol];
        const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
        let printed = "";
        for (const stream of [child.stdout, child.stderr])
          stream!.on("data", (text) => (printed += text));
        const exit = once(child, "exit");
        await once(child, "message");
        const clean = async (): Promise<void> => {
          const began = performance.now();
          const answer = await request({ protocol, address: { socket: path }, url: "/clean" });
          expect([answer.status, await answer.text()]).toEqual([200, "hello"]);
          expect(performance.now() - began).toBeLessThan(CLEAN_MS_MAX);
        };
        const seeds = readCorpus(protocol);
        const random = new Random(PROPERTY_SEED);
        await clean();
        const before = await factsOf(child);
        const end = Date.now() + timeMs;
        const goesOn = (): boolean => (timeMs > 0 ? Date.now() < end : sent < STREAMS);
        let sent = 0;
        while (goesOn()) {
          const some = Array.from({ length: AT_ONCE }, () =>
            send(random, path, streamOf(random, random.pick(seeds).bytes)),
          );
          await Promise.all(some);
          sent += AT_ONCE;
          if (sent % CLEAN_EVERY < AT_ONCE) await clean();
        }
        await clean();
        const after = await factsOf(child);
        expect(after.stray).toEqual([]);
        expect(after.rss - before.rss).toBeLessThan(GROWTH_MAX);
        child.send("close");
        expect(await exit).toEqual([0, null]);
        expect(printed).toBe("");
        if (timeMs > 0) console.info(`socket: ${protocol}, ${configuration}: ${sent} streams`);
      },
      120_000 + timeMs * 2,
    );
  });
});
