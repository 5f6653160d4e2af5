/**
 * Hostile peers beside a good client: the memory of the whole process and the good client's time (reliability §1.7).
 *
 * Every peer of hostile-peers.ts on every protocol it speaks, all against one process, one after the other; sizes are
 * reduced unless POSTERN_TEST_FULL=1. What each is answered is connection/transcript's to say.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isFull } from "../support/front/gateway.ts";
import { missingLoadgen, runLoadgen } from "../support/loadgen.ts";
import { eachEngine } from "../support/transcript.ts";
import { type Amounts, HOSTILE } from "./hostile-peers.ts";
import { Target } from "./target.ts";
import { PROTOCOLS, SECRET } from "./target-words.ts";

const AMOUNTS: Amounts = isFull
  ? {
      // Over all protocols 1,000 and more.
      drips: 350,
      dripMs: 8_000,
      neverReading: 100,
      stderrMiB: 100,
      unfinished: 20_000,
      paramsBytes: 64 * 1_048_576,
    }
  : {
      drips: 200,
      dripMs: 700,
      neverReading: 20,
      stderrMiB: 16,
      unfinished: 2_000,
      paramsBytes: 8 * 1_048_576,
    };
/** Issue 6: in total, over all of them. */
const GROWTH_MIB_MAX = 32;
/** Issue 6: against the quiet value. */
const SLOWER_MAX = 3;
/** A busy machine may be late; a server that is held up is late always. */
const TRIES = isFull ? 5 : 3;
/** On a busy machine everything waits for its turn; below this nobody is held up (reliability §3.1, Z8). */
const FLOOR_MS = isFull ? 0 : 100;
const SECONDS = isFull ? 10 : 1;
const RATE = 200;
/** What an option could mend is said once. */
const REMARKS = [/^ERR_AJP_PACKET_BYTES$/, /^ERR_AJP_BODY_LENGTH$/];
const missing = missingLoadgen();
const title = missing === undefined ? "hostile peers" : `hostile peers (${missing})`;

eachEngine(title, (configuration) => {
  describe.skipIf(missing !== undefined)(`${title} · ${configuration}`, () => {
    let target: Target;
    let startMiB = 0;
    let quietMs = 0;

    /** The good client's p99 while something goes on again and again, in milliseconds. */
    async function p99Beside(something?: () => Promise<unknown>): Promise<number> {
      const { port } = target.reach("fastcgi", "tcp") as { port: number };
      const good = runLoadgen([
        ...["--protocol", "fastcgi", "--tcp", `127.0.0.1:${port}`, "--connections", "4"],
        ...["--rate", String(RATE), "--seconds", String(SECONDS), "--expect-text", "hi"],
      ]);
      let isOver = false;
      const over = good.finally(() => {
        isOver = true;
      });
      while (!isOver) await Promise.race([over, something?.() ?? over]);
      const { report, stderr } = await good;
      expect([stderr, report?.errors]).toEqual(["", 0]);
      return report!.latencyUs.p99 / 1_000;
    }

    /** As many good peers as there will be hostile ones, and good requests of all sizes: growth is what hostility adds. */
    async function goodLoad(): Promise<void> {
      for (const protocol of PROTOCOLS) {
        const { path } = target.reach(protocol, "unix") as { path: string };
        const where = ["--protocol", protocol, "--unix", path, "--secret", SECRET];
        for (const words of [
          ["--connections", String(AMOUNTS.drips), "--seconds", "1"],
          ["--connections", "20", "--seconds", "1", "--path", "/count", "--body", "65536"],
        ]) {
          const { report, stderr } = await runLoadgen([...where, ...words]);
          expect([stderr, report?.errors]).toEqual(["", 0]);
        }
        await target.ask(protocol, "unix", "/errors?8");
        await target.ask(protocol, "unix", "/much?8");
      }
    }

    beforeAll(async () => {
      target = await Target.start(configuration);
      await goodLoad();
      startMiB = target.residentMiB();
      quietMs = await p99Beside();
      target.forgetPeak();
    }, 60_000);

    const mostMs = (): number => Math.max(SLOWER_MAX * quietMs, FLOOR_MS);
    const grownMiB = (): number => target.residentMiB("VmHWM") - startMiB;

    afterAll(() => target?.stop());

    for (const [name, [hostile, ...protocols]] of Object.entries(HOSTILE)) {
      const rule = `${name}: a good client's p99 stays below ${SLOWER_MAX} times its quiet value · ${protocols.join(", ")}`;
      test(rule, { timeout: isFull ? 300_000 : 60_000 }, async () => {
        const attack = (): Promise<unknown> =>
          Promise.all(
            protocols.map((protocol) =>
              hostile({ target, configuration, protocol, place: "unix" }, AMOUNTS),
            ),
          );
        let besideMs = 0;
        for (let i = 0; i < TRIES; i++) {
          besideMs = await p99Beside(attack);
          for (const protocol of protocols) await target.expectCalm(protocol, "unix", REMARKS);
          if (besideMs < mostMs()) break;
          // The machine may have become another one since the quiet value was taken.
          quietMs = await p99Beside();
        }
        console.log(
          `${configuration}, ${name}: p99 ${besideMs.toFixed(2)} ms, quiet ${quietMs.toFixed(2)} ms, peak +${grownMiB().toFixed(1)} MiB`,
        );
        expect(besideMs).toBeLessThan(mostMs());
      });
    }

    test(`the process has grown by less than ${GROWTH_MIB_MAX} MiB in all`, () => {
      expect(target.lines).toHaveLength(new Set(target.lines).size);
      expect(grownMiB()).toBeLessThan(GROWTH_MIB_MAX);
    });
  });
});
