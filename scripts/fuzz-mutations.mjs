/**
 * native/core broken on purpose, one line at a time → a short run of the fuzzer must find each (issue: five mutations).
 *
 * Works on a copy; the project's own sources stay as they are. Exit status 1 when a mutation lives.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFuzz, compileFuzzer, compiler, OBJECTS } from "./build-fuzz.mjs";
import { inOwnFolder, root, run, say } from "./house.mjs";

/** What the short run of `npm test` has. */
const RUN_MS = 1_500;

/** Each: what it breaks, in which file, and which target has to notice. */
const MUTATIONS = [
  {
    title: "two 31-bit lengths are added in 32 bits (F-1)",
    file: "fastcgi_params.cc",
    from: "uint64_t{offset - stream_start} + pair.name_length + pair.value_length > head_bytes_",
    to: "offset - stream_start + pair.name_length + pair.value_length > head_bytes_",
    also: [
      "uint64_t{pair.name_length} + pair.value_length > end - pair.name",
      "pair.name + pair.name_length + pair.value_length > end",
    ],
    target: "fastcgi",
  },
  {
    title: "content and padding of a record are added in 8 bits (F-3)",
    file: "fastcgi_decoder.cc",
    from: "const uint32_t end_header = start + content_bytes_ + padding_bytes_;",
    to: "const uint32_t end_header = start + static_cast<uint8_t>(content_bytes_ + padding_bytes_);",
    target: "fastcgi",
  },
  {
    title: "body beyond CONTENT_LENGTH is handed on (D-1)",
    file: "fastcgi_streams.cc",
    from: "if (due < n) taken = static_cast<uint32_t>(due);",
    to: "if (due > n) taken = n;",
    target: "fastcgi",
  },
  {
    title: "headers go on behind the length of their netstring (S-2)",
    file: "scgi_decoder.cc",
    from: "const uint32_t n = std::min(length - gather_.length(), end - at);",
    to: "const uint32_t n = end - at;",
    target: "scgi",
  },
  {
    title: "a string may be longer than what is left of its packet (A-14)",
    file: "ajp_forward_request.cc",
    from: "if (length >= left - 2) return Error::kAjpForward;",
    to: "if (length >= left + 2) return Error::kAjpForward;",
    target: "ajp",
  },
];

/** Breaks a copy of native/core. Throws an Error where the line is not there: then the mutation has to be moved. */
function breakCopy(core, { file, from, to, also }) {
  const path = join(core, file);
  let text = readFileSync(path, "utf8");
  for (const [old, fresh] of also ? [[from, to], also] : [[from, to]]) {
    if (text.split(old).length !== 2) throw new Error(`native/core/${file} has no one line ${old}`);
    text = text.replace(old, fresh);
  }
  writeFileSync(path, text);
}

/** Why the mutation lives, or undefined when it was found. */
async function tryMutation(cxx, folder, mutation) {
  const core = join(folder, "core");
  // Everything anew: what the last one broke is whole again.
  cpSync(join(root, "native/core"), core, { recursive: true });
  cpSync(join(root, OBJECTS), folder, { recursive: true });
  breakCopy(core, mutation);
  const failed = await compileFuzzer({ kind: "own", cxx, folder, core, only: [mutation.file] });
  if (failed !== undefined) return failed;
  const corpus = join(root, `native/fuzz/corpus/${mutation.target}.txt`);
  const parameters = [mutation.target, corpus, "--time-ms", `${RUN_MS}`, "--findings", folder];
  const { code, output } = await run(join(folder, "own"), parameters, { quiet: true });
  if (code === 0) return output;
  const line = /^(finding: .*|.*ERROR: AddressSanitizer.*|.*runtime error: .*)$/m.exec(output);
  say(`found: ${mutation.title}: ${line?.[0] ?? "aborted, as bytes.h does out of bounds"}`);
  return undefined;
}

/**
 * Tries all mutations, or with `one` the one that the seed chooses.
 *
 * @param {{ seed: number, one?: boolean }} words
 * @returns {Promise<number>} how many were not found
 */
export async function mutations({ seed, one = false }) {
  const reason = await buildFuzz();
  if (reason !== undefined) {
    say(`fuzzer not built: ${reason}`);
    return 1;
  }
  const tried = one ? [MUTATIONS[seed % MUTATIONS.length]] : MUTATIONS;
  return inOwnFolder("mutations", async (folder) => {
    let alive = 0;
    for (const mutation of tried) {
      const lives = await tryMutation(compiler(), folder, mutation);
      if (lives === undefined) continue;
      alive++;
      say(`NOT found: ${mutation.title}\n${lives}`);
    }
    say(`${tried.length - alive} of ${tried.length} mutations found in ${RUN_MS} ms each`);
    return alive;
  });
}
