/**
 * A run of every framework → docs/compatibility.md.
 *
 * Two runs of vitest: the first leaves a row for each framework in a cache, the second puts them together. With a
 * difference that is not allowed nothing is written, and vitest's lines say which it is.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { root, run, say, tool } from "./house.mjs";
import { setup, setupFrameworks } from "./setup.mjs";

const DOCUMENT_TEST = "test/compat/document.test.ts";

/** One run of vitest that writes instead of comparing. */
async function vitest(...parameters) {
  const env = { ...process.env, POSTERN_COMPAT: "write" };
  const line = [tool("vitest/vitest.mjs"), "run", "--project", "compat", ...parameters];
  const { code } = await run(process.execPath, line, { env });
  if (code !== 0)
    throw new Error("docs/compatibility.md was not written; the lines above say why.");
}

try {
  await setup();
  await setupFrameworks();
  rmSync(join(root, "node_modules/.cache/postern/compat"), { recursive: true, force: true });
  await vitest("--exclude", DOCUMENT_TEST);
  await vitest(DOCUMENT_TEST);
  say("docs/compatibility.md is written");
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
