/**
 * native/core and native/fuzz → build-fuzz/fuzz, with sanitizers and our own fuzzing engine, and where Clang has it
 * build-fuzz/libfuzzer. Calls the compiler itself: a user's C++ compiler is enough, there is nothing to install.
 *
 * Compiles only what is not up to date as a whole, two files at a time. It runs nothing; scripts/fuzz.mjs does.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { takePlace } from "./build-native.mjs";
import { inOwnFolder, isFresh, isMain, root, run, say, which } from "./house.mjs";

/** What this makes, from the project's root. */
export const FUZZ = "build-fuzz/fuzz";

/** What it makes where there is Clang with libFuzzer. */
export const LIBFUZZER = "build-fuzz/libfuzzer";

/** Objects of the first, for builds that differ in one file. */
export const OBJECTS = "build-fuzz/objects";

/** What both are made from. */
export const FUZZ_SOURCES = ["native/core", "native/fuzz", "scripts/build-fuzz.mjs"];

const LANGUAGE = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Wconversion"];
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const DEBUGGABLE = ["-O2", "-g1", "-fno-omit-frame-pointer"];
const HOOKS = ["-fsanitize-coverage=trace-pc"];
const FIXED = ["-fno-pie"];

/** Kinds of build: which flags what is under test gets, which the rest, which the linker; and what is left out. */
const KINDS = {
  own: {
    tested: [...DEBUGGABLE, ...FIXED, ...SANITIZERS, ...HOOKS],
    rest: [...DEBUGGABLE, ...FIXED, ...SANITIZERS],
    // Addresses are the same in every process, and with them what an input reaches.
    link: [...SANITIZERS, "-no-pie"],
    without: ["libfuzzer_target.cc"],
  },
  libfuzzer: {
    tested: [...DEBUGGABLE, ...SANITIZERS, "-fsanitize=fuzzer-no-link"],
    rest: [...DEBUGGABLE, ...SANITIZERS],
    link: [...SANITIZERS, "-fsanitize=fuzzer"],
    without: ["mutation_loop.cc", "edge_map.cc", "mutator.cc", "seed_file.cc", "finding_keeper.cc"],
  },
  coverage: {
    tested: ["-O0", "-g1", ...FIXED, "--coverage", "-fno-inline"],
    rest: ["-O1", ...FIXED],
    link: ["--coverage", "-no-pie"],
    without: ["libfuzzer_target.cc"],
  },
};

/** Files of native/fuzz that are under test themselves. */
const TESTED = ["planted_mistake.cc"];
/** Called at each basic block: neither hooks nor sanitizers may be in it. */
const BARE = ["edge_map.cc"];

/** The C++ compiler of this machine, or undefined. */
export function compiler() {
  const names = [process.env.CXX?.split(" ")[0], "c++", "g++", "clang++"];
  return names.filter(Boolean).find((name) => which(name) !== undefined);
}

/** Runs tasks, at most two at once; stops at the first that fails. */
async function twoAtOnce(tasks) {
  let failed;
  const queue = [...tasks];
  const worker = async () => {
    while (failed === undefined && queue.length > 0) failed = (await queue.shift()()) ?? failed;
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

const files = (folder) => readdirSync(folder).filter((name) => name.endsWith(".cc"));

/**
 * Compiles and links one program in a folder.
 *
 * @param {{ kind: "own" | "libfuzzer" | "coverage", cxx: string, folder: string, core?: string,
 *   only?: readonly string[] }} word core: the sources under test, native/core by default; only: files of core that
 *   are compiled again, the other objects of the folder are taken as they are
 * @returns {Promise<string | undefined>} what the compiler said, when it failed
 */
export async function compileFuzzer({ kind, cxx, folder, core = join(root, "native/core"), only }) {
  const flags = KINDS[kind];
  const fuzz = join(root, "native/fuzz");
  const includes = [`-I${core}`, `-I${fuzz}`];
  const own = files(fuzz).filter((name) => !flags.without.includes(name));
  const all = [
    ...files(core).map((name) => ({ path: join(core, name), words: flags.tested })),
    ...own.map((name) => {
      const tested = TESTED.includes(name) ? flags.tested : flags.rest;
      return { path: join(fuzz, name), words: BARE.includes(name) ? ["-O2", ...FIXED] : tested };
    }),
  ];
  const object = (path) => join(folder, `${basename(path, ".cc")}.o`);
  const wanted = all.filter(({ path }) => only === undefined || only.includes(basename(path)));
  const compile = async ({ path, words }) => {
    const parameters = [...LANGUAGE, ...words, ...includes, "-c", path, "-o", object(path)];
    const { code, output } = await run(cxx, parameters, { quiet: true, cwd: folder });
    return code === 0 ? undefined : output || `${cxx} failed`;
  };
  const failed = await twoAtOnce(wanted.map((file) => () => compile(file)));
  if (failed !== undefined) return failed;
  const objects = all.map(({ path }) => object(path));
  const link = [...objects, ...flags.link, "-o", join(folder, kind)];
  const { code, output } = await run(cxx, link, { quiet: true, cwd: folder });
  return code === 0 ? undefined : output;
}

/**
 * Builds the fuzzer where it is not up to date.
 *
 * @param {"own" | "libfuzzer"} [kind]
 * @returns {Promise<string | undefined>} why there is none, as half a sentence; undefined when it is there
 */
export async function buildFuzz(kind = "own") {
  const made = kind === "own" ? FUZZ : LIBFUZZER;
  if (isFresh(made, FUZZ_SOURCES)) return undefined;
  const cxx = kind === "own" ? compiler() : which("clang++") && "clang++";
  if (cxx === undefined) return kind === "own" ? "no C++ compiler found" : "clang++ not found";
  const began = new Date();
  return inOwnFolder("fuzz", async (folder) => {
    const failed = await compileFuzzer({ kind, cxx, folder });
    if (failed !== undefined) return `${cxx} failed\n${failed}`;
    const objects = readdirSync(folder).filter((name) => kind === "own" && name.endsWith(".o"));
    for (const name of objects) takePlace(join(folder, name), join(OBJECTS, name), began);
    takePlace(join(folder, kind), made, began);
    return undefined;
  });
}

if (isMain(import.meta.url)) {
  const reason = await buildFuzz();
  say(reason ? `fuzzer not built: ${reason}` : `fuzzer built: ${FUZZ}`);
  if (reason) process.exitCode = 1;
}
