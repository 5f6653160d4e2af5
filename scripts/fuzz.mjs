/**
 * `npm run fuzz -- NAME --time T` → one harness of docs/fuzzing.md, run for that long; exit status 1 at a finding.
 *
 * Decoders in C++ run in build-fuzz/fuzz (or libFuzzer's engine with `--engine libfuzzer`); the harnesses of both
 * engines, connections and sockets are tests that go on for as long as they are told. It judges nothing itself.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildFuzz, FUZZ } from "./build-fuzz.mjs";
import { coverage } from "./fuzz-coverage.mjs";
import { runLibfuzzer } from "./fuzz-libfuzzer.mjs";
import { mutations } from "./fuzz-mutations.mjs";
import { makeSeeds } from "./fuzz-seeds.mjs";
import { root, run, say, tool } from "./house.mjs";

/** Decoders in C++, and the mistake that has to be found. */
const NATIVE = ["fastcgi", "scgi", "ajp", "canary"];

/** Harnesses that are tests: name → file. */
const TESTS = {
  params: "test/fuzz/params.test.ts",
  writers: "test/fuzz/writers.test.ts",
  differential: "test/engine/agree.test.ts",
  connection: "test/fuzz/connection.test.ts",
  socket: "test/fuzz/socket.test.ts",
};

/** Everything else there is. */
const OTHERS = { coverage, mutations, seeds: makeSeeds };

const FINDINGS = join(root, "build-fuzz/findings");

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `90`, `90s`, `30m`, `2h` → milliseconds; undefined for anything else. */
function readTime(text) {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(text);
  return match ? Number(match[1]) * UNITS_MS[match[2] ?? "s"] : undefined;
}

/** The command line, or a sentence about what is wrong with it. */
function readWords([name, ...parameters]) {
  const names = [...NATIVE, ...Object.keys(TESTS), ...Object.keys(OTHERS)];
  if (!names.includes(name)) {
    return `npm run fuzz needs the name of a harness: ${names.join(", ")}`;
  }
  const words = { name, timeMs: 60_000, engine: "own", seed: Date.now() % 1_000_000_000 };
  for (let i = 0; i < parameters.length; i++) {
    const word = parameters[i];
    if (word === "--keep") words.keep = true;
    else if (word === "--one") words.one = true;
    else if (word === "--time") words.timeMs = readTime(parameters[++i] ?? "");
    else if (word === "--engine") words.engine = parameters[++i];
    else if (word === "--seed") words.seed = Number(parameters[++i]);
    else if (word === "--input") words.input = parameters[++i];
    else
      return `npm run fuzz does not know ${word}; it knows --time, --engine, --seed, --input, --keep and --one`;
  }
  if (words.timeMs === undefined)
    return "--time is a number with ms, s, m or h behind it, such as 90s";
  if (!["own", "libfuzzer"].includes(words.engine)) return "--engine is own or libfuzzer";
  if (!Number.isSafeInteger(words.seed)) return "--seed is a whole number";
  if (words.input !== undefined && !existsSync(words.input))
    return `there is no file ${words.input}`;
  return words;
}

/** The corpus of a target; the canary has none. */
export const corpusOf = (name) => join(root, `native/fuzz/corpus/${name}.txt`);

async function runNative(words) {
  const reason = await buildFuzz();
  if (reason !== undefined) {
    say(`fuzzer not built: ${reason}`);
    return 1;
  }
  mkdirSync(FINDINGS, { recursive: true });
  if (words.engine === "libfuzzer") return runLibfuzzer(words, FINDINGS);
  const corpus = corpusOf(words.name);
  const parameters = [words.name, corpus, "--seed", `${words.seed}`, "--findings", FINDINGS];
  parameters.push("--time-ms", `${words.timeMs}`);
  if (words.keep) parameters.push("--keep", corpus);
  if (words.input) parameters.push("--input", words.input);
  // Findings of undefined behaviour say where they are.
  const env = {
    ...process.env,
    UBSAN_OPTIONS: "print_stacktrace=1",
    ASAN_OPTIONS: "detect_leaks=1",
  };
  const { code } = await run(join(root, FUZZ), parameters, { env });
  if (code !== 0) {
    say(`a finding (seed ${words.seed}); again: npm run fuzz -- ${words.name} --input FILE`);
  }
  return code === 0 ? 0 : 1;
}

async function runTest(words) {
  const parameters = [tool("vitest/vitest.mjs"), "run", TESTS[words.name]];
  const env = { ...process.env, POSTERN_FUZZ_MS: `${words.timeMs}`, POSTERN_SEED: `${words.seed}` };
  const { code } = await run(process.execPath, parameters, { env });
  return code;
}

const words = readWords(process.argv.slice(2));
if (typeof words === "string") {
  say(words);
  process.exitCode = 2;
} else if (NATIVE.includes(words.name)) {
  process.exitCode = await runNative(words);
} else if (words.name in TESTS) {
  process.exitCode = await runTest(words);
} else {
  process.exitCode = await OTHERS[words.name](words);
}
