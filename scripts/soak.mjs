/**
 * `npm run soak -- --minutes 10`: test/faults/soak.test.ts for as long as asked, with its slopes and its plot.
 *
 * Words: `--minutes N` (10), `--rate N` requests a second of each protocol in each configuration (60), `--svg FILE`,
 * `--asan` for the addon with sanitizers. Measures nothing itself; exit status 1 when a count or a slope is wrong.
 */
import { resolve } from "node:path";
import { root, run, say, tool } from "./house.mjs";
import { setup } from "./setup.mjs";

const NAMES = { "--minutes": "POSTERN_SOAK_MINUTES", "--rate": "POSTERN_SOAK_RATE" };

/** The environment of the test, or the sentence that says what is wrong with the words. */
function readWords(words) {
  const env = { POSTERN_SOAK_MINUTES: "10" };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === "--asan") env.POSTERN_SOAK_ASAN = "1";
    else if (word === "--svg" && words[i + 1]) env.POSTERN_SOAK_SVG = resolve(words[++i]);
    else if (word in NAMES && Number(words[i + 1]) > 0) env[NAMES[word]] = words[++i];
    else
      return `soak takes --minutes N, --rate N, --svg FILE and --asan, not "${word}" as it stands`;
  }
  return env;
}

const env = readWords(process.argv.slice(2));
if (typeof env === "string") {
  say(env);
  process.exitCode = 2;
} else {
  await setup();
  const words = [tool("vitest/vitest.mjs"), "run", "--project", "unit", "--reporter=verbose"];
  const file = "test/faults/soak.test.ts";
  const { code } = await run(process.execPath, [...words, file], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  process.exitCode = code;
}
