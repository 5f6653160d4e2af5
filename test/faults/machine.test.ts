/**
 * A machine that has run out of something: descriptors, room for connections, disk, readers of its output, memory, time.
 * Requests go on, or fail alone, and nothing stays behind (reliability §3.3).
 *
 * Full disks and rotation are test/cli/rotation.test.ts's as well, a low limit from the start server/starvation.test.ts's; kill -9
 * is cli/primary-death.test.ts's and cli/workers.test.ts's, drains cli/stopping.test.ts's, reloads conformance/reload.test.ts's and
 * cli/handover.test.ts's, crash loops cli/crash-loop.test.ts's.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect } from "vitest";
import { mountSmallDisk, NO_TMPFS, type SmallDisk } from "../observe/tmpfs.ts";
import { isFull } from "../support/front/gateway.ts";
import { findProgram } from "../support/front/child.ts";
import { Room } from "../support/front/ports.ts";
import {
  closed,
  dial,
  eachBelow,
  type Fault,
  requestOf,
  type Scene,
  testFaults,
} from "./faults.ts";

const room = new Room("machine");
const BLOCKED_MS = isFull ? 2_000 : 700;
const WAITING = 300;
/** Descriptors that a target may open beyond those it has. */
const SPARE = 12;
const CROWD = 60;
/** An answer in many pieces: those of one piece leave by write(2), which wakes threads as well and may not fail. */
const MUCH = "/much?1";
const MUCH_BYTES = 1_048_576;

const NO_PRLIMIT = findProgram("prlimit") === undefined ? "there is no prlimit" : "";
const NO_STRACE = !isFull
  ? "under npm run test:full only"
  : findProgram("strace") === undefined
    ? "there is no strace"
    : "";

/** Asks once, by bytes; what came of it. A request that fails fails alone. */
async function tryOnce(scene: Scene, url = "/"): Promise<"answered" | "failed"> {
  const socket = dial(scene);
  let text = "";
  let bytes = 0;
  const isWhole = (): boolean => (url === MUCH ? bytes > MUCH_BYTES : text.includes("hi"));
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes < 10_000) text += chunk.toString("latin1");
    if (isWhole()) socket.destroy();
  });
  socket.on("end", () => socket.destroy());
  socket.write(requestOf(scene.protocol, url));
  await closed(socket);
  return isWhole() ? "answered" : "failed";
}

function limitDescriptors(pid: number, soft: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:`]);
}

/** While something goes on, system calls of a process fail as told (strace(1), inject); how many did. */
async function injecting(pid: number, what: string, work: () => Promise<void>): Promise<number> {
  const [calls] = what.split(":");
  const trace = room.file("trace");
  const words = ["-f", "-o", trace, "-e", `trace=${calls}`, "-e", `inject=${what}`];
  const strace = spawn("strace", [...words, "-p", String(pid)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    await once(strace.stderr, "data");
    await work();
  } finally {
    strace.kill("SIGINT");
    if (strace.exitCode === null) await once(strace, "exit");
  }
  return readFileSync(trace, "latin1").split("(INJECTED)").length - 1;
}

const inject = (rule: string, what: string, url = "/"): Fault => ({
  rule,
  obstacle: NO_STRACE,
  expected: [/^ERR_/],
  async run(scene) {
    const count = await injecting(scene.target.pid, what, async () => {
      for (let i = 0; i < 20; i++) await Promise.race([tryOnce(scene, url), sleep(1_000)]);
    });
    expect(count).toBeGreaterThan(2);
  },
});

const TABLE: readonly Fault[] = [
  {
    rule: "no descriptor is left (EMFILE, reliability X-11): connections wait or fail alone, and a line says so",
    obstacle: NO_PRLIMIT,
    expected: [/^ERR_NO_DESCRIPTOR$/],
    async run(scene) {
      const { target } = scene;
      limitDescriptors(target.pid, target.descriptors + SPARE);
      try {
        const outcomes: string[] = [];
        const crowd = Array.from({ length: CROWD }, async () => {
          outcomes.push(await tryOnce(scene));
        });
        await Promise.race([Promise.all(crowd), sleep(3_000)]);
        expect(outcomes).toContain("answered");
      } finally {
        limitDescriptors(target.pid, 4_096);
      }
    },
  },
  {
    rule: "a loop that is blocked: everybody who connects meanwhile waits, and nobody fails",
    async run(scene) {
      const blocker = scene.target.ask("fastcgi", "tcp", `/blocked?${BLOCKED_MS}`);
      await sleep(50);
      const outcomes = await Promise.all(Array.from({ length: WAITING }, () => tryOnce(scene)));
      expect(outcomes.filter((one) => one === "failed")).toEqual([]);
      expect((await blocker)[0]).toBe("late");
    },
  },
  inject("accept fails now and then (EMFILE)", "accept4:error=EMFILE:when=2+3"),
  inject("accept fails now and then (ECONNABORTED)", "accept4:error=ECONNABORTED:when=2+3"),
  inject("writes find no room (EAGAIN)", "writev,sendmsg:error=EAGAIN:when=2+3", MUCH),
  inject("writes find no buffers (ENOBUFS)", "writev,sendmsg:error=ENOBUFS:when=2+3", MUCH),
  inject("writes find nobody (EPIPE)", "writev,sendmsg:error=EPIPE:when=2+3", MUCH),
];
testFaults("a machine that lacks something", TABLE);

const PRESSURE: readonly Fault[] = [
  {
    rule: "a small heap: large bodies and many requests are served",
    together: true,
    places: ["unix"],
    async run(scene) {
      const bodyBytes = scene.protocol === "ajp" ? 8_000 : 60_000;
      await eachBelow(200, async () => {
        const socket = dial(scene).on("end", () => socket.destroy());
        let answer = "";
        socket.on("data", (chunk: Buffer) => {
          answer += chunk.toString("latin1");
          if (answer.includes(String(bodyBytes))) socket.destroy();
        });
        socket.write(requestOf(scene.protocol, "/count", "x".repeat(bodyBytes)));
        await closed(socket);
        expect(answer).toContain(String(bodyBytes));
      });
      await eachBelow(10, async () => {
        const [text] = await scene.target.ask(scene.protocol, scene.place, "/much?8");
        expect(text).toHaveLength(8 * 1_048_576);
      });
    },
  },
];
testFaults("collections all the time", PRESSURE, {
  nodeFlags: ["--max-old-space-size=32", "--max-semi-space-size=1"],
});

let disk: SmallDisk | undefined;
if (NO_TMPFS === "") disk = mountSmallDisk(room.file("disk"), 64);
afterAll(() => {
  disk?.unmount();
  room.remove();
});
const FULL_DISK: readonly Fault[] = [
  {
    rule: "a full disk under the access log (ENOSPC) costs lines and no request",
    together: true,
    obstacle: NO_TMPFS,
    expected: [/lost (a line|\d+ lines).*ENOSPC/, /^\(Use `node --trace-warnings/],
    async run(scene) {
      await eachBelow(100, async () => {
        expect(await tryOnce(scene)).toBe("answered");
      });
    },
  },
];
disk?.fill();
testFaults("a full disk", FULL_DISK, {
  options: { accessLog: disk === undefined ? "/dev/full" : `${disk.folder}/access.log` },
});

const NO_READER: readonly Fault[] = [
  {
    rule: "nobody reads the access log on standard error any more (EPIPE, reliability O-10): requests go on",
    together: true,
    async run(scene) {
      scene.target.closeErrors();
      await eachBelow(100, async () => {
        expect(await tryOnce(scene)).toBe("answered");
      });
    },
  },
];
testFaults("an output without a reader", NO_READER, { options: { accessLog: "-" } });
