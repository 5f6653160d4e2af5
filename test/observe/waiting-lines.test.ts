/**
 * What lines of the access log show that were made by the addon some time behind their requests: ids, order, the clock.
 * Bytes of single lines are plain-lines.test.ts's.
 */
import { describe, expect, test } from "vitest";
import { loadAddon } from "../../src/engine/native.ts";
import type { RequestHead } from "../../src/http/head.ts";
import { headIdOf } from "../../src/http/request-id.ts";
import { compileFormat } from "../../src/observe/access-format.ts";
import { AccessLog } from "../../src/observe/access-log.ts";
import { wallMs } from "../../src/observe/log-clock.ts";
import { PlainLines } from "../../src/observe/plain-lines.ts";
import { testAddonPaths } from "../support/addon.ts";
import { accountOf, ajpHead, cgiHead } from "./line-heads.ts";

const { addon } = loadAddon(testAddonPaths());
const PLACE = { pid: 4711, worker: 3 };
/** Two busy cores may keep this process from running between two looks at a clock. */
const LATE_MS = 1_000;

test("a time is that of the clock on the wall, also where it was long ago", () => {
  for (const agoMs of [0, 0, 5, 999, 1_001, 60_000]) {
    const earliest = Date.now() - agoMs;
    const shown = wallMs(performance.now() - agoMs);
    expect(shown).toBeGreaterThan(earliest - LATE_MS);
    expect(shown).toBeLessThan(Date.now() - agoMs + LATE_MS);
    expect(shown % 1).toBe(0);
  }
});

describe.skipIf(addon === undefined)("the addon's lines", () => {
  const { createLines } = addon!;

  test("an id is the one that is asked for later, the one that was asked for before, or the front server's", () => {
    const format = compileFormat('%(id) "%{X-Request-Id}i"');
    const out = Buffer.alloc(1_024);
    const plain = new PlainLines(format, PLACE, createLines, [out]);
    const fields = [
      { name: "REQUEST_METHOD", value: "GET" },
      { name: "REQUEST_URI", value: "/" },
    ];
    const lineOf = (head: RequestHead): string =>
      out.toString("latin1", 0, plain.write(accountOf(head), 0, 0));
    for (const read of [cgiHead, ajpHead]) {
      for (const asksBefore of [false, true]) {
        const head = read(fields, { user: true, strip: false });
        const before = asksBefore ? headIdOf(head, "") : undefined;
        const line = lineOf(head);
        const id = headIdOf(head, "");
        expect(before ?? id).toBe(id);
        expect(id).toMatch(/^[0-9a-f]{12}-[1-9]\d*$/);
        expect(line).toBe(`${id} "-"\n`);
        expect(lineOf(head)).toBe(line);
      }
      for (const [sent, isSound] of [
        ["of-front/7", true],
        ["no id", false],
      ] as const) {
        const more = [...fields, { name: "HTTP_X_REQUEST_ID", value: sent }];
        const head = read(more, { user: true, strip: false });
        const line = lineOf(head);
        const id = headIdOf(head, "");
        expect(line).toBe(`${id} "${sent}"\n`);
        expect(id === sent).toBe(isSound);
      }
    }
  });

  test("requests that are over become lines in their order, however many wait", async () => {
    const fields = [{ name: "REQUEST_METHOD", value: "GET" }];
    for (const count of [1, 31, 32, 33, 100]) {
      const bytes: Buffer[] = [];
      let said = 0;
      const take = (piece: Buffer, lines: number): void => {
        bytes.push(piece);
        said += lines;
      };
      const access = new AccessLog(
        {
          dropped: 0,
          write: (line, lines) => take(Buffer.from(`${line}\n`), lines),
          writeBytes(piece, lines, done) {
            take(Buffer.from(piece), lines);
            done();
          },
          reopen() {},
          flushSync() {},
          close: () => Promise.resolve(),
        },
        compileFormat("%(uri) %(status)"),
        PLACE,
        (outs) => new PlainLines(compileFormat("%(uri) %(status)"), PLACE, createLines, outs),
      );
      // Some lines need an escape, and are made by the other writer.
      const targets = Array.from({ length: count }, (_, i) => (i % 3 === 1 ? `/"${i}` : `/${i}`));
      for (const value of targets) {
        const head = cgiHead([...fields, { name: "REQUEST_URI", value }], {
          user: true,
          strip: false,
        });
        access.ended(accountOf(head));
      }
      if (count === 33) access.flush();
      else await expect.poll(() => said).toBe(count);
      const lines = targets.map((target) => `${target.replace('"', "\\x22")} 200\n`);
      expect(Buffer.concat(bytes).toString()).toBe(lines.join(""));
      expect(said).toBe(count);
    }
  });
});
