/**
 * A limit of open files that is too low for limits.connections → one sentence at the start, with both numbers (reliability
 * What happens when none is left is starvation.test.ts's.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { descriptorWarning, readDescriptorLimit } from "../../src/server/descriptor-limit.ts";
import { makeProgram, type Program } from "../cli/program.ts";

let program: Program;
beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(join(program.folder, "app.cjs"), "module.exports = (req, res) => res.end();");
}, 60_000);
afterAll(() => program.clear());

/** What the command says until it has stopped, started with so many descriptors. */
async function said(descriptors: number, words: readonly string[]): Promise<string> {
  const running = program.start(["app.cjs", "--protocol", "fastcgi", "--socket", "s", ...words], {
    longestMs: 60_000,
    shell: `ulimit -n ${descriptors}; exec "$@"`,
  });
  await running.started;
  running.child.kill("SIGTERM");
  return (await running.ended).stderr;
}

test("the command says at the start how many open files it needs, and is silent where there are enough", async () => {
  const sentence =
    "This process may open 200 files, too few for limits.connections of 10000; " +
    "raise the limit of open files to 10064 (ulimit -n, LimitNOFILE=) or lower limits.connections.";
  expect(await said(200, [])).toContain(sentence);
  expect(await said(200, ["--limits.connections", "100"])).not.toContain("open files");
  // Workers do not say it again, each for itself.
  const workers = await said(200, ["--workers", "3"]);
  expect(workers.split("too few for limits.connections")).toHaveLength(2);
}, 60_000);

test("who asks for no limit, or cannot know it, hears nothing", () => {
  expect(descriptorWarning(Number.POSITIVE_INFINITY, 100)).toBe(undefined);
  expect(descriptorWarning(10_000, readDescriptorLimit("/nowhere"))).toBe(undefined);
  const path = join(program.folder, "limits");
  writeFileSync(
    path,
    "Max open files            unlimited            unlimited            files\n",
  );
  expect(readDescriptorLimit(path)).toBe(Number.POSITIVE_INFINITY);
});
