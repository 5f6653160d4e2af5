/**
 * The load of a day in little time: three protocols in each configuration at once, good and bad peers mixed, and whether
 * memory and descriptors stay where they are (reliability §3.4).
 *
 * Some seconds here; `npm run soak -- --minutes 10` is the real one, with slopes that count and a plot.
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS, wayOf } from "../support/engines.ts";
import { type LoadReport, missingLoadgen, runLoadgen } from "../support/loadgen.ts";
import { buildSanitized } from "../support/sanitized.ts";
import type { FramedProtocol } from "../support/transcript.ts";
import { closed, dial, requestOf, type Scene } from "./faults.ts";
import { drawSoak, type Sample, type Series, type Slope, slopeOf } from "./soak-figures.ts";
import { Target, type TargetOptions } from "./target.ts";
import { PROTOCOLS, SECRET } from "./target-words.ts";

const asked = Number(process.env["POSTERN_SOAK_MINUTES"] ?? 0);
const minutes = asked || 0.1;
/** Requests a second of each protocol in each configuration. */
const rate = Number(process.env["POSTERN_SOAK_RATE"] ?? 60);
const isSanitized = process.env["POSTERN_SOAK_ASAN"] === "1";
const SAMPLE_MS = asked > 0 ? 5_000 : 500;
/** What is dropped: the allocator takes 100,000 requests and some minutes until it has all the room that it ever wants. */
const warmMinutes = minutes / 2;
const MIB = 1_048_576;

/** Reliability §3.4: shares of the requests, and what each is. */
const MIX = [
  { share: 0.7, words: ["--path", "/", "--expect-text", "hi"], connections: 4 },
  {
    share: 0.15,
    words: ["--path", "/count", "--body", "65536", "--expect-text", "65536"],
    connections: 4,
  },
  {
    share: 0.05,
    words: ["--path", "/count", "--body", `${MIB}`, "--expect-text", `${MIB}`],
    connections: 2,
  },
] as const;
const ABORT_SHARE = 0.05;
const MALFORMED_SHARE = 0.05;
/** Limits of the slopes: MiB a minute, and KiB for 1,000 requests. */
const MIB_A_MINUTE = 0.5;
const KIB_A_THOUSAND = 1;

const missing = missingLoadgen();
const build = isSanitized ? buildSanitized() : undefined;
const targets: Target[] = [];
const title = `a soak of ${minutes} min`;

/** Of the sanitizers' addon, where it is asked for. */
function howToStart(engine: string): TargetOptions {
  if (build === undefined || engine === "typescript") return {};
  if ("missing" in build) throw new Error(build.missing);
  const env = { LD_PRELOAD: build.preload, ASAN_OPTIONS: "detect_leaks=0:abort_on_error=1" };
  return { addon: build.addon, env };
}

/** A good share of the load. */
async function good(
  target: Target,
  protocol: FramedProtocol,
  part: (typeof MIX)[number],
): Promise<LoadReport> {
  const { path } = target.reach(protocol, "unix") as { path: string };
  const where = ["--protocol", protocol, "--unix", path, "--secret", SECRET];
  const pace = ["--rate", String(rate * part.share), "--seconds", String(minutes * 60)];
  const { report, stderr } = await runLoadgen([
    ...where,
    ...part.words,
    ...pace,
    ...["--connections", String(part.connections), "--timeout", "60"],
  ]);
  expect(stderr).toBe("");
  return report!;
}

/** Clients that leave in the middle, and bytes that are no request. */
async function bad(scene: Scene, isOver: () => boolean): Promise<number> {
  let count = 0;
  const pauseMs = 1_000 / (rate * (ABORT_SHARE + MALFORMED_SHARE));
  for (; !isOver(); count++) {
    const socket = dial(scene).resume();
    socket.once("end", () => socket.destroy());
    const isAbort = Math.random() < ABORT_SHARE / (ABORT_SHARE + MALFORMED_SHARE);
    const whole = requestOf(scene.protocol, isAbort ? "/never" : "/count", "x".repeat(2_000));
    const length = 1 + Math.floor(Math.random() * whole.length);
    if (isAbort) {
      socket.write(whole.subarray(0, length), () => setTimeout(() => socket.destroy(), 5));
    } else {
      whole.set(randomBytes(4), Math.floor(Math.random() * (whole.length - 4)));
      socket.write(whole.subarray(0, length));
      socket.end();
    }
    await sleep(pauseMs);
    if (!isAbort) setTimeout(() => socket.destroy(), 500).unref();
    void closed(socket);
  }
  return count;
}

/** Looks at a target until the load is over. */
async function watch(target: Target, isOver: () => boolean): Promise<Sample[]> {
  const samples: Sample[] = [];
  const began = performance.now();
  while (!isOver()) {
    const { memory, requests } = await target.facts({ collect: true });
    samples.push({
      minutes: (performance.now() - began) / 60_000,
      rssMiB: target.residentMiB(),
      heapMiB: memory.heapUsed / MIB,
      externalMiB: (memory.external + memory.arrayBuffers) / MIB,
      descriptors: target.descriptors,
      requests,
    });
    await sleep(SAMPLE_MS);
  }
  return samples;
}

const shown = ({ perMinute, error }: Slope, factor = 1): string =>
  `${(perMinute * factor).toFixed(3)} ± ${(2 * error * factor).toFixed(3)}`;

/** Prints what came of one process; the check that follows where there was time for it. */
function judge({ name, samples }: Series, errors: number): () => void {
  const kept = samples.filter((one) => one.minutes >= warmMinutes);
  const last = kept.at(-1)!;
  const thousands = (last.requests - kept[0]!.requests) / 1_000;
  const perThousand = (1_024 * (last.minutes - kept[0]!.minutes)) / thousands;
  const rss = slopeOf(kept, (one) => one.rssMiB);
  const heap = slopeOf(kept, (one) => one.heapMiB);
  const external = slopeOf(kept, (one) => one.externalMiB);
  const descriptors = slopeOf(kept, (one) => one.descriptors);
  console.log(
    `soak ${name}: ${last.requests} requests, ${errors} errors, RSS ${last.rssMiB.toFixed(1)} MiB; a minute (± 2 s.e.): ` +
      `RSS ${shown(rss)} MiB, heap ${shown(heap)} MiB, external ${shown(external)} MiB, descriptors ${shown(descriptors)}; ` +
      `for 1,000 requests: RSS ${shown(rss, perThousand)} KiB, heap ${shown(heap, perThousand)} KiB`,
  );
  // What the samples cannot tell from a flat line is none.
  const surely = ({ perMinute, error }: Slope): number => perMinute - 2 * error;
  return () => {
    expect(errors).toBe(0);
    if (asked < 5) return;
    for (const slope of [rss, heap, external]) {
      expect(surely(slope)).toBeLessThanOrEqual(MIB_A_MINUTE);
      expect(surely(slope) * perThousand).toBeLessThanOrEqual(KIB_A_THOUSAND);
    }
    expect(Math.abs(descriptors.perMinute)).toBeLessThan(Math.max(1, 3 * descriptors.error));
  };
}

describe.skipIf(missing !== undefined)(
  missing === undefined ? title : `${title} (${missing})`,
  () => {
    const handles: (readonly string[])[] = [];

    beforeAll(async () => {
      for (const { name, create } of CONFIGURATIONS) {
        if (create === undefined) continue;
        const target = await Target.start(name, howToStart(wayOf(name).engine));
        targets.push(target);
        handles.push((await target.facts()).handles);
      }
    }, 60_000);
    afterAll(() => Promise.all(targets.map((target) => target.stop())));

    test("memory and descriptors stay where they are, and every good request is answered", {
      timeout: minutes * 60_000 + 120_000,
    }, async () => {
      let isOver = false;
      const over = (): boolean => isOver;
      const watches = targets.map((target) => watch(target, over));
      const bads = targets.flatMap((target) =>
        PROTOCOLS.map((protocol) =>
          bad({ target, configuration: target.configuration, protocol, place: "unix" }, over),
        ),
      );
      const goods = targets.map((target) =>
        Promise.all(
          PROTOCOLS.flatMap((protocol) => MIX.map((part) => good(target, protocol, part))),
        ),
      );
      const reports = await Promise.all(goods).finally(() => {
        isOver = true;
      });
      await Promise.all(bads);
      const all = (await Promise.all(watches)).map((samples, i): Series => {
        return { name: targets[i]!.configuration, samples };
      });
      const file = process.env["POSTERN_SOAK_SVG"];
      const when = new Date().toISOString().slice(0, 10);
      const caption = `${when}, Node ${process.versions.node}, ${minutes} min, ${rate} requests a second of each protocol`;
      if (file !== undefined) writeFileSync(file, drawSoak(all, caption));
      const checks = all.map((series, i) =>
        judge(
          series,
          reports[i]!.reduce((sum, report) => sum + report.errors, 0),
        ),
      );
      for (const check of checks) check();
      for (const [i, target] of targets.entries()) {
        for (const protocol of PROTOCOLS) await target.expectCalm(protocol, "unix", [/^ERR_/]);
        // A connection is counted no more a turn before its handle is gone.
        let now: readonly string[] = [];
        await until(async () => {
          now = (await target.facts()).handles;
          return now.length === handles[i]!.length;
        }).catch(() => undefined);
        expect(now.toSorted()).toEqual(handles[i]!.toSorted());
      }
    });
  },
);
