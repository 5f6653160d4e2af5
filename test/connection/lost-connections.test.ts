/**
 * Connections that break while their answers are written, beside one that brings more rows than the table holds.
 * Found by reading for the fuzzers (docs/fuzzing.md): rows about lost connections had no bound, and the process ended
 * (reliability X, denial of service). The server is a process of its own, since it would take the test with it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleApart } from "../support/apart.ts";
import { wayOf } from "../support/engines.ts";
import { Room } from "../support/front/ports.ts";
import { Wire } from "../support/scripted-peer.ts";
import { eachEngine } from "../support/transcript.ts";
import {
  begin,
  fastcgiRequest,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../support/transcript-frames.ts";

const ROUNDS = 3;
const LOST = 6;
/** One event row each: several tables full. */
const TINY_RECORDS = 5_000;

/** `/block?FILE` stops the whole process until the file is there. */
const SERVER = `
import { existsSync } from "node:fs";
import { serve } from "postern-src/serve/serve.ts";
const [, , socket, way] = process.argv;
const cell = new Int32Array(new SharedArrayBuffer(4));
const server = serve((req, res) => {
  if (req.url.startsWith("/block?")) {
    process.send("blocked");
    while (!existsSync(req.url.slice(7))) Atomics.wait(cell, 0, 0, 2);
  }
  if (req.method === "POST") req.resume().on("end", () => res.end("read"));
  else res.end("answered");
}, { protocol: "fastcgi", socket, onError: () => undefined, ...JSON.parse(way) });
await server.ready();
process.on("message", () => { server.closeAllConnections(); server.shutdown().then(() => process.exit(0)); });
process.send("ready");
`;

const body: Buffer = Buffer.concat(
  Array.from({ length: TINY_RECORDS }, () => record({ type: Type.STDIN, content: "x" })),
);
const upload: Buffer = Buffer.concat([
  begin(1, { keep: true }),
  params(1, { ...USUAL, REQUEST_METHOD: "POST", CONTENT_LENGTH: String(TINY_RECORDS) }),
  body,
  stdin(1),
]);

let room: Room;
let file: string;
beforeAll(async () => {
  room = new Room("lost");
  file = await bundleApart(room.path, "server.mjs", SERVER);
});
afterAll(() => room.remove());

async function heard(child: ChildProcess, word: string): Promise<void> {
  const [message] = await once(child, "message");
  expect(message).toBe(word);
}

/** Bytes are with the kernel. */
const written = (wire: Wire, bytes: Uint8Array): Promise<void> =>
  new Promise((done) => wire.socket.write(bytes, () => done()));

/** The answer's body, of one FastCGI response. */
async function answer(wire: Wire): Promise<string> {
  const records = await wire.readStream(Type.STDOUT);
  await wire.readRecord();
  return Buffer.concat(records.map(({ content }) => content)).toString("latin1");
}

/** While the server is blocked: requests whose peers leave at once, then a body of many rows; twice. */
async function round(child: ChildProcess, path: string, name: string): Promise<void> {
  const connected = (count: number): Promise<Wire[]> =>
    Promise.all(Array.from({ length: count }, () => Wire.connect({ path })));
  const [blocker, ...leaving] = await connected(1 + 2 * LOST);
  const [one, other] = await connected(2);
  const until = join(room.path, name);
  blocker!.write(fastcgiRequest({ params: { REQUEST_URI: `/block?${until}` } }));
  await heard(child, "blocked");
  for (const uploading of [one!, other!]) {
    for (const wire of leaving.splice(0, LOST)) {
      await written(wire, fastcgiRequest({ keep: true }));
      wire.socket.destroy();
    }
    uploading.write(upload);
  }
  writeFileSync(until, "");
  expect(await answer(one!)).toContain("read");
  expect(await answer(other!)).toContain("read");
  for (const wire of [blocker!, one!, other!]) wire.socket.destroy();
}

eachEngine("connections that break", (configuration) => {
  test(`${LOST} connections that break beside a table full of rows leave the others alone · ${configuration}`, async () => {
    const path = join(room.path, `${configuration.replace(" ", "-")}.sock`);
    const way = JSON.stringify(wayOf(configuration));
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    const child = spawn(process.execPath, [file, path, way], { stdio: [...stdio] });
    let ended: string | undefined;
    const exit = once(child, "exit").then(([code, signal]) => {
      ended = String(code ?? signal);
    });
    await heard(child, "ready");
    for (let i = 0; i < ROUNDS; i++)
      await round(child, path, `${configuration}-${i}`.replace(" ", "-"));
    expect(ended).toBeUndefined();
    child.send("close");
    await exit;
    expect(ended).toBe("0");
  }, 60_000);
});
