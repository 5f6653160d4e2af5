/**
 * The native core and the addon under AddressSanitizer, UndefinedBehaviorSanitizer and guard pages.
 * It expects no rows itself: the engine tests do, run once more in a child process with the sanitizers preloaded.
 * Needs a C++ compiler and cmake; skipped by name with the reason where they are missing, failing there with CI=true.
 */
import { describe, expect, test } from "vitest";
import { writeOptions } from "../../src/engine/decoder-options.ts";
import { DECODER_OPTIONS, ProtocolNumber } from "../../src/wire/abi.ts";
import type { DecoderOptions } from "../../src/wire/limits.ts";
import { type DecodedProtocol, decoderOptions } from "../support/engines.ts";
import { buildSanitized, runProgram } from "../support/sanitized.ts";
import { vectorsOf } from "../support/vectors.ts";

const built = buildSanitized();
const missing = "missing" in built ? built.missing : undefined;
const because = missing === undefined ? "" : ` (skipped: ${missing})`;
const { addon, guardPageTest, preload } =
  "missing" in built ? { addon: "", guardPageTest: "", preload: "" } : built;

const SANITIZER_OPTIONS: NodeJS.ProcessEnv = {
  // Node frees little of its own at its end; that is no leak of ours. A small quarantine: one test measures memory.
  ASAN_OPTIONS: "detect_leaks=0:abort_on_error=1:quarantine_size_mb=8",
  UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
};
const PROTOCOLS: readonly DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];

/** Options as the ten numbers of the seam. */
function optionNumbers(options: DecoderOptions): string {
  const numbers = [...writeOptions(new Float64Array(DECODER_OPTIONS), options)];
  return numbers.map((number) => (Number.isFinite(number) ? String(number) : "inf")).join(" ");
}

/** All vectors of one protocol in the format of native/test/vector_file.h. */
function plainVectors(protocol: DecodedProtocol): string {
  const number = {
    fastcgi: ProtocolNumber.FASTCGI,
    scgi: ProtocolNumber.SCGI,
    ajp: ProtocolNumber.AJP,
  };
  const lines = vectorsOf(protocol).flatMap((vector) => [
    `vector ${vector.id} ${number[protocol]} ${optionNumbers(decoderOptions(vector.options))}`,
    ...vector.steps.map((step) =>
      "bytes" in step
        ? `bytes ${Buffer.from(step.bytes).toString("hex")}`
        : `note ${step.event} ${step.exchangeId}`,
    ),
    "end",
  ]);
  return `${lines.join("\n")}\n`;
}

test("sanitizers run where CI asks for them", () => {
  if (process.env["CI"] === "true") expect(missing).toBeUndefined();
});

describe.skipIf(missing !== undefined)(`native core with guard pages (N-1)${because}`, () => {
  test.each(PROTOCOLS)(
    "reads nothing outside of what it was given, at any split of any %s vector",
    (protocol) => {
      const input = plainVectors(protocol);
      const outcome = runProgram(guardPageTest, [], { input, env: SANITIZER_OPTIONS });
      expect(outcome).toMatchObject({ code: 0, signal: null });
      const count = Number(/^(\d+) vectors/m.exec(outcome.output)?.[1]);
      expect(count).toBe(vectorsOf(protocol).length);
    },
    300_000,
  );

  test("a read of one byte too far would be seen", () => {
    const outcome = runProgram(guardPageTest, ["--canary"], { env: SANITIZER_OPTIONS });
    expect(outcome.code).not.toBe(0);
    expect(outcome.output).toContain("AddressSanitizer: SEGV");
  });
});

describe.skipIf(missing !== undefined)(`addon with sanitizers (N-1, B-106)${because}`, () => {
  test("is not loadable without them, so what passes below ran with them", () => {
    const outcome = runProgram(process.execPath, ["-e", `require(${JSON.stringify(addon)})`]);
    expect(outcome.code).not.toBe(0);
    expect(outcome.output).toMatch(/asan/i);
  });

  test.each(["abi", "vectors", "prefix", "agree", "threads", "transport"])(
    "passes test/engine/%s.test.ts",
    (name) => {
      const parameters = [
        "node_modules/vitest/vitest.mjs",
        "run",
        "--project=engine",
        "--maxWorkers=1",
        "--reporter=default",
        `test/engine/${name}.test.ts`,
      ];
      const outcome = runProgram(process.execPath, parameters, {
        env: {
          ...SANITIZER_OPTIONS,
          LD_PRELOAD: preload,
          POSTERN_TEST_ADDON: addon,
          // A child that skips the native half would prove nothing.
          CI: "true",
          POSTERN_TEST_STREAMS: "20000",
          NO_COLOR: "1",
          FORCE_COLOR: undefined,
          VITEST: undefined,
        },
      });
      expect(outcome.output).not.toMatch(/AddressSanitizer|runtime error/);
      expect(outcome).toMatchObject({ code: 0, signal: null });
      expect(outcome.output).toMatch(/Tests\s+\d+ passed/);
    },
    600_000,
  );
});
