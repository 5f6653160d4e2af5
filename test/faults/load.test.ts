/**
 * Ten thousand connections that rest, and a thousand requests a second beside them: not one error (reliability §3.4).
 *
 * A tenth of both, for seconds, unless POSTERN_TEST_FULL=1 (three minutes). The memory of an idle connection is the benches'.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { findProgram } from "../support/front/child.ts";
import { isFull } from "../support/front/gateway.ts";
import { missingLoadgen, runLoadgen } from "../support/loadgen.ts";
import { eachEngine } from "../support/transcript.ts";
import { eachBelow } from "./faults.ts";
import { Target } from "./target.ts";
import { SECRET } from "./target-words.ts";

/** As many as the three protocols share. */
const IDLE = isFull ? 10_000 : 600;
const RATE = isFull ? 1_000 : 100;
const SECONDS = isFull ? 180 : 2;
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;

const obstacle = missingLoadgen() ?? (findProgram("prlimit") ? "" : "there is no prlimit");
const title = obstacle === "" ? "a crowd" : `a crowd (${obstacle})`;

eachEngine(title, (configuration) => {
  describe.skipIf(obstacle !== "")(`${title} · ${configuration}`, () => {
    test(`${IDLE} connections rest while ${RATE} requests a second are answered, for ${SECONDS} s`, {
      timeout: 60_000 + SECONDS * 2_000,
    }, async () => {
      // Both ends of a connection are descriptors here, and the target has the limit from us.
      execFileSync("prlimit", ["--pid", String(process.pid), `--nofile=${IDLE + 4_000}:`]);
      const options = { limits: { connections: IDLE }, timeouts: { idle: 0 } };
      const target = await Target.start(configuration, { options });
      const idle: Socket[] = [];
      try {
        await eachBelow(IDLE, async (i) => {
          const socket = connect(target.reach(PROTOCOLS[i % 3]!, "unix"));
          idle.push(socket);
          await once(socket, "connect");
        });
        const reports = await Promise.all(
          PROTOCOLS.map((protocol) => {
            const { path } = target.reach(protocol, "unix") as { path: string };
            return runLoadgen([
              ...["--protocol", protocol, "--unix", path, "--secret", SECRET],
              ...["--connections", "8", "--rate", String(RATE / 3), "--expect-text", "hi"],
              ...["--seconds", String(SECONDS), "--timeout", "30"],
            ]);
          }),
        );
        const rate = reports.reduce((sum, { report }) => sum + report!.requestsPerSecond, 0);
        const p99 = reports.map(({ report }) => (report!.latencyUs.p99 / 1_000).toFixed(2));
        console.log(
          `crowd ${configuration}: ${IDLE} idle, ${rate.toFixed(0)} requests/s for ${SECONDS} s, p99 ${p99.join(", ")} ms, ` +
            `RSS ${target.residentMiB().toFixed(1)} MiB`,
        );
        for (const { report, stderr } of reports) expect([stderr, report?.errors]).toEqual(["", 0]);
        // Nobody was closed to make room for others.
        expect(idle.filter((socket) => socket.destroyed || socket.readableEnded)).toEqual([]);
      } finally {
        for (const socket of idle) socket.destroy();
      }
      for (const protocol of PROTOCOLS) await target.expectCalm(protocol, "unix");
      await target.stop();
    });
  });
});
