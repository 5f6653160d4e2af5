/**
 * A peer that goes away at every byte: of the request, of the answer; by a reset, by a close, by half a close; and one that
 * never goes (reliability §3.3).
 *
 * What a handler hears of it is serve/suite-abort.test.ts's, and what half a close means connection/transcript/endings.test.ts's.
 */
import type { Socket } from "node:net";
import { expect } from "vitest";
import { until } from "../support/behaviour.ts";
import { isFull } from "../support/front/gateway.ts";
import {
  closed,
  dial,
  eachBelow,
  type Fault,
  requestOf,
  type Scene,
  testFaults,
} from "./faults.ts";

/** Bytes of the dribbled body: each is a write of its own, so that the answer is cut wherever it can be. */
const DRIBBLE = isFull ? 40 : 6;
const BODY = "hello";

const wholeRequest = ({ protocol }: Scene): Buffer => requestOf(protocol, "/count", BODY);

type End = "reset" | "close" | "half";

function leave(socket: Socket, end: End): void {
  if (end === "half") socket.end();
  else if (end === "reset") socket.resetAndDestroy();
  else socket.destroy();
}

/** Sends the first so many bytes and ends as told; the answer up to the end of the connection. */
async function sendPart(scene: Scene, bytes: Buffer, end: End): Promise<string> {
  const socket = dial(scene);
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
  });
  socket.on("end", () => socket.destroy());
  const go = (): void => leave(socket, end);
  if (bytes.length === 0) socket.once("connect", go);
  else socket.write(bytes, go);
  await closed(socket);
  return answer;
}

/** Asks for an answer, reads so many of its bytes and ends as told; how many came. */
async function readPart(scene: Scene, url: string, count: number, end: End): Promise<number> {
  const socket = dial(scene);
  socket.write(requestOf(scene.protocol, url));
  let got = 0;
  let isLeaving = false;
  socket.on("data", (chunk: Buffer) => {
    got += chunk.length;
    if (got < count || isLeaving) return;
    isLeaving = true;
    leave(socket, end);
  });
  socket.on("end", () => socket.destroy());
  await closed(socket);
  return got;
}

/** END_REQUEST, End Response, or nothing: SCGI's answers end with their connection. */
const ENDS: Readonly<Record<Scene["protocol"], Buffer>> = {
  fastcgi: Buffer.of(1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  scgi: Buffer.alloc(0),
  ajp: Buffer.of(0x41, 0x42, 0, 2, 5, 1),
};

/** Bytes of a whole answer, and of what there is of it before its end begins. */
async function answerBytes(scene: Scene): Promise<{ total: number; begun: number }> {
  const socket = dial(scene);
  socket.write(requestOf(scene.protocol, `/dribble?${DRIBBLE}`));
  const end = ENDS[scene.protocol];
  let answer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
    if (end.length > 0 && answer.subarray(-end.length).equals(end)) socket.destroy();
  });
  socket.on("end", () => socket.destroy());
  await closed(socket);
  // FastCGI: the empty STDOUT is part of the end.
  const begun = answer.length - end.length - (scene.protocol === "fastcgi" ? 8 : 0);
  return { total: answer.length, begun };
}

const TABLE: readonly Fault[] = [
  {
    rule: "a reset at every byte of a request leaves nothing behind",
    places: ["tcp"],
    async run(scene) {
      const bytes = wholeRequest(scene);
      await eachBelow(bytes.length + 1, async (n) => {
        await sendPart(scene, bytes.subarray(0, n), "reset");
      });
    },
  },
  {
    rule: "a close at every byte of a request leaves nothing behind",
    async run(scene) {
      const bytes = wholeRequest(scene);
      await eachBelow(bytes.length + 1, async (n) => {
        await sendPart(scene, bytes.subarray(0, n), "close");
      });
    },
  },
  {
    rule: "half a close at every byte of a request: the whole one is answered, a part of one is not, and the connection ends",
    async run(scene) {
      const bytes = wholeRequest(scene);
      const isAnswered: number[] = [];
      await eachBelow(bytes.length + 1, async (n) => {
        const answer = await sendPart(scene, bytes.subarray(0, n), "half");
        if (/Status: 200|\0\xc8/.test(answer)) isAnswered.push(n);
      });
      // FastCGI: the body is whole before the empty STDIN, by its length.
      const whole = scene.protocol === "fastcgi" ? bytes.length - 8 : bytes.length;
      for (const n of isAnswered) expect(n).toBeGreaterThanOrEqual(whole);
      if (scene.place === "unix") expect(isAnswered).toContain(bytes.length);
    },
  },
  {
    rule: "a reset at every byte of an answer ends its handler and leaves nothing behind",
    places: ["tcp"],
    run: (scene) => endEveryByteOfAnswer(scene, "reset"),
  },
  {
    rule: "a close at every byte of an answer ends its handler and leaves nothing behind",
    run: (scene) => endEveryByteOfAnswer(scene, "close"),
  },
  {
    rule: "half a close at every byte of an answer leaves nothing behind",
    run: (scene) => endEveryByteOfAnswer(scene, "half"),
  },
];

async function endEveryByteOfAnswer(scene: Scene, end: End): Promise<void> {
  const { total, begun } = await answerBytes(scene);
  expect(begun).toBeGreaterThan(DRIBBLE);
  // On unix half a close is the end of the input, which was whole.
  const isAbort = end !== "half" || scene.place === "tcp";
  const before = (await scene.target.facts()).aborted;
  await eachBelow(total, async (n) => {
    const url = isAbort && n < begun ? `/hanging?${DRIBBLE}` : `/dribble?${DRIBBLE}`;
    expect(await readPart(scene, url, n + 1, end)).toBeGreaterThan(n);
  });
  const aborts = async (): Promise<number> => (await scene.target.facts()).aborted - before;
  const expected = isAbort ? begun : 0;
  await until(async () => (await aborts()) >= expected);
  // The end of an answer may be written before the peer's is read.
  expect(await aborts()).toBeLessThanOrEqual(isAbort ? total : 0);
}

testFaults("a peer that ends", TABLE);
