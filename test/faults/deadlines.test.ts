/**
 * Peers that take their time, and clocks that jump: deadlines hold as configured, and what they end leaves nothing behind
 * (reliability §3.3).
 *
 * What each deadline answers is connection/transcript/deadlines.test.ts's and write-deadline.test.ts's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { closed, dial, type Fault, requestOf, type Scene, testFaults } from "./faults.ts";

const DEADLINE_MS = 1_000;
/** The server looks at its clock twice a second. */
const COARSE_MS = 500;
/** Reliability §3.3: as configured, give or take a second; and what a busy machine adds. */
const LATE_MS = 1_000 + 2_000;
const DRIP_MS = 10;
const HOUR_MS = 3_600_000;
/** Longer in all than the deadline. An AJP packet counts when it is whole, and nobody sends less than one. */
const bodyOf = ({ protocol }: Scene): string => "x".repeat(protocol === "ajp" ? 20 : 150);

/** Sends bytes one by one, as long as somebody takes them. */
async function drip(scene: Scene, first: Uint8Array, rest: Uint8Array): Promise<string> {
  const socket = dial(scene);
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
    if (answer.includes(bodyOf(scene).length.toString()) || answer.includes("408")) {
      socket.destroy();
    }
  });
  socket.on("end", () => socket.destroy());
  socket.write(first);
  for (const byte of rest) {
    if (socket.destroyed) break;
    socket.write(Buffer.of(byte));
    await sleep(DRIP_MS);
  }
  await closed(socket);
  return answer;
}

/** How long it takes until the other side ends a connection that says this and then nothing more. */
async function endedAfterMs(scene: Scene, bytes: Uint8Array): Promise<number> {
  const socket = dial(scene).resume();
  const began = performance.now();
  socket.write(bytes);
  socket.once("end", () => socket.destroy());
  await closed(socket);
  return performance.now() - began;
}

function expectDeadline(ms: number): void {
  expect(ms).toBeGreaterThan(DEADLINE_MS - COARSE_MS - 50);
  expect(ms).toBeLessThan(DEADLINE_MS + LATE_MS);
}

/** All of a request but its last bytes. */
const unfinished = ({ protocol }: Scene): Buffer => requestOf(protocol).subarray(0, -10);

const TABLE: readonly Fault[] = [
  {
    rule: "a body that comes byte by byte is waited for, however long it takes in all",
    together: true,
    async run(scene) {
      const body = bodyOf(scene);
      const whole = requestOf(scene.protocol, "/count", body);
      const tail = body.length + (scene.protocol === "fastcgi" ? 8 : 0);
      const answer = await drip(scene, whole.subarray(0, -tail), whole.subarray(-tail));
      expect(answer).toContain(String(body.length));
    },
  },
  {
    rule: "a head that comes byte by byte meets its deadline",
    together: true,
    async run(scene) {
      const began = performance.now();
      await drip(scene, Buffer.alloc(0), requestOf(scene.protocol, `/${"x".repeat(500)}`));
      expectDeadline(performance.now() - began);
    },
  },
  {
    rule: "a peer that never reads meets its deadline, and its handler ends",
    together: true,
    async run(scene) {
      const before = (await scene.target.facts()).aborted;
      const socket = dial(scene).pause();
      socket.write(requestOf(scene.protocol, "/much?64"));
      const end = performance.now() + DEADLINE_MS + LATE_MS + 5_000;
      while ((await scene.target.facts()).aborted === before && performance.now() < end) {
        await sleep(20);
      }
      socket.destroy();
      expect((await scene.target.facts()).aborted).toBeGreaterThan(before);
    },
  },
  {
    rule: "a peer that never closes is left after its answer and after a refusal",
    together: true,
    async run(scene) {
      const [good, refused] = [dial(scene), dial(scene)];
      good.resume().write(requestOf(scene.protocol));
      // Half a request, and what is never ended: the server says 408 and lingers.
      refused.resume().write(unfinished(scene));
      const end = performance.now() + 8_000;
      while ((await scene.target.facts()).connections > 0 && performance.now() < end) {
        await sleep(20);
      }
      await scene.target.expectFree();
      for (const socket of [good, refused]) socket.destroy();
    },
  },
  ...[HOUR_MS, -HOUR_MS].map(
    (shiftMs): Fault => ({
      rule: `deadlines do not see a clock that jumps by ${shiftMs / HOUR_MS} h`,
      together: true,
      async run(scene) {
        const ended = endedAfterMs(scene, unfinished(scene));
        await sleep(100);
        await scene.target.facts({ shiftMs });
        const [text] = await scene.target.ask(scene.protocol, scene.place);
        expect(text).toBe("hi");
        expectDeadline(await ended);
        await scene.target.facts({ shiftMs: 0 });
      },
    }),
  ),
];

{
  const rule = "a deadline below the clock's period ends no peer that never rests";
  const timeouts = { body: 100 };
  testFaults(rule, [{ ...TABLE[0]!, protocols: ["fastcgi", "scgi"] }], { options: { timeouts } });
}
const timeouts = { head: DEADLINE_MS, body: DEADLINE_MS, write: DEADLINE_MS, idle: DEADLINE_MS };
testFaults("a peer that takes its time", TABLE, { options: { timeouts } });
