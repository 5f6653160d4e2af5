/**
 * A target and its corpus → libFuzzer's own engine, where Clang is there; what it grew comes back into the corpus.
 *
 * Its findings are files like those of our engine: both read native/fuzz/fuzz_input.h.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFuzz, FUZZ, LIBFUZZER } from "./build-fuzz.mjs";
import { root, run, say } from "./house.mjs";

/** Longest input. */
const BYTES_MAX = 4_096;

/** Seeds of a corpus as [name, bytes]. */
function readSeeds(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" "))
    .map(([name, hex]) => [name, Buffer.from(hex, "hex")]);
}

/**
 * Runs one target for a while.
 *
 * @param {{ name: string, timeMs: number, seed: number, keep?: boolean, input?: string }} words
 * @param {string} findings folder for what is found
 * @returns {Promise<number>} 0, or 1 at a finding or without Clang
 */
export async function runLibfuzzer(words, findings) {
  const reason = await buildFuzz("libfuzzer");
  if (reason !== undefined) {
    say(`libFuzzer's engine not built: ${reason}; without --engine the project's own runs`);
    return 1;
  }
  const folder = join(root, `build-fuzz/corpus-${words.name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const corpus = join(root, `native/fuzz/corpus/${words.name}.txt`);
  const seeds = words.name === "canary" ? [] : readSeeds(corpus);
  for (const [name, bytes] of seeds) writeFileSync(join(folder, name), bytes);
  const flags = [
    `-max_len=${BYTES_MAX}`,
    `-max_total_time=${Math.ceil(words.timeMs / 1_000)}`,
    `-seed=${words.seed}`,
    `-artifact_prefix=${findings}/`,
    "-timeout=5",
    "-print_final_stats=1",
  ];
  const what = words.input ?? folder;
  const env = { ...process.env, POSTERN_FUZZ_TARGET: words.name, ASAN_OPTIONS: "detect_leaks=1" };
  const { code } = await run(join(root, LIBFUZZER), [...flags, what], { env });
  if (code !== 0 || !words.keep || seeds.length === 0) return code === 0 ? 0 : 1;
  return keepGrown(words, folder, corpus, seeds);
}

/** Puts what libFuzzer grew behind the corpus and lets our engine take out what is nothing new. */
async function keepGrown(words, folder, corpus, seeds) {
  const known = new Set(seeds.map(([name]) => name));
  const grown = readdirSync(folder).filter((name) => !known.has(name));
  const lines = grown.map(
    (name) => `grown-${name.slice(0, 8)} ${readFileSync(join(folder, name)).toString("hex")}\n`,
  );
  const all = `${corpus}.all`;
  writeFileSync(all, readFileSync(corpus, "utf8") + lines.join(""));
  const { code } = await run(join(root, FUZZ), [
    words.name,
    all,
    "--time-ms",
    "0",
    "--keep",
    corpus,
  ]);
  rmSync(all);
  return code;
}
