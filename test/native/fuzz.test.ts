/**
 * A short run of the decoders' fuzzers, with sanitizers (reliability Z1 to Z3), and proof that they would find something:
 * a planted mistake, and a finding that can be played again. Long runs: `npm run fuzz`, docs/fuzzing.md.
 * Needs a C++ compiler; skipped by name where there is none, failing there with CI=true.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runProgram } from "../support/sanitized.ts";

const root = resolve(import.meta.dirname, "../..");
const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const runMs = isFull ? 20_000 : 1_500;
const seed = Number(process.env["POSTERN_SEED"] || Date.now() % 1_000_000_000);
const fuzz = join(root, "build-fuzz/fuzz");
const built = runProgram(process.execPath, [join(root, "scripts/build-fuzz.mjs")]);
// A compiler that is there and fails is no reason to skip.
const missing = /not built: (no C\+\+ compiler found)/.exec(built.output)?.[1];
const because = missing === undefined ? "" : ` (skipped: ${missing})`;
const folder = mkdtempSync(join(tmpdir(), "postern-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const corpus = (target: string): string => join(root, `native/fuzz/corpus/${target}.txt`);
const words = (target: string): string[] => [
  ...[target, corpus(target), "--time-ms", `${runMs}`],
  ...["--seed", `${seed}`, "--findings", folder],
];

test("the fuzzers are built where CI asks for them", () => {
  if (process.env["CI"] === "true") expect(missing).toBeUndefined();
  if (missing === undefined) expect(built).toMatchObject({ code: 0 });
});

describe.skipIf(missing !== undefined)(`the fuzzer${because}`, () => {
  test.each(["fastcgi", "scgi", "ajp"])(
    `finds nothing in the %s decoder (--seed ${seed})`,
    (target) => {
      const { code, signal, output } = runProgram(fuzz, words(target));
      expect({ code, signal, output }).toMatchObject({ code: 0, signal: null });
      const [, runs] = /: (\d+) runs in/.exec(output) ?? [];
      expect(Number(runs)).toBeGreaterThan(1_000);
    },
    60_000,
  );

  test("finds a planted mistake, keeps the input, and finds it again in the kept one", () => {
    const found = runProgram(fuzz, words("canary"));
    expect(found.code).not.toBe(0);
    expect(found.output).toContain("AddressSanitizer: heap-buffer-overflow");
    const kept = readdirSync(folder).filter((name) => name.startsWith("finding-canary"));
    expect(kept).toHaveLength(1);
    const again = runProgram(fuzz, [...words("canary"), "--input", join(folder, kept[0]!)]);
    expect(again.code).not.toBe(0);
    expect(again.output).toContain("AddressSanitizer: heap-buffer-overflow");
  }, 60_000);

  const which = isFull ? "each of five mutations" : "one of five mutations, by the seed,";
  test(`finds ${which} of native/core in its short run (--seed ${seed})`, () => {
    const parameters = ["scripts/fuzz.mjs", "mutations", "--seed", `${seed}`];
    const { code, output } = runProgram(
      process.execPath,
      isFull ? parameters : [...parameters, "--one"],
    );
    expect(output).toContain(isFull ? "5 of 5 mutations found" : "1 of 1 mutations found");
    expect(code).toBe(0);
  }, 600_000);
});
