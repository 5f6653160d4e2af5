/**
 * The workflows, the lock file and SECURITY.md → do they say what docs/security.md promises of a release?
 *
 * Reads them as text and runs none of them; what a release carries is package.test.ts's and installed.test.ts's.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot, textOf } from "../support/documents.ts";

const folder = join(projectRoot, ".github/workflows");
const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(join(folder, name), "utf8"),
}));
const [prebuild, release] = ["prebuild.yml", "release.yml"].map(
  (wanted) => workflows.find(({ name }) => name === wanted)?.text ?? "",
);

/** The first groups of all matches, sorted. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? "").sort();
}

test("every action is one of ours or pinned by its hash, with its version beside it", () => {
  const uses = workflows.flatMap(({ text }) => found(text, /\buses: (.*)$/gm));
  const isPinned = (word: string): boolean =>
    /^\.\/\.github\/workflows\/[a-z]+\.yml$/.test(word) ||
    /^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(word);
  expect(uses.length).toBeGreaterThan(8);
  expect(uses.filter((word) => !isPinned(word))).toEqual([]);
});

test("a workflow may read and nothing else, but for the one job that publishes", () => {
  for (const { name, text } of workflows) {
    expect(text, name).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    const writing = found(text, /^ +([a-z-]+): write\b/gm);
    expect(writing, name).toEqual(name === "release.yml" ? ["contents", "id-token"] : []);
    expect(text, name).not.toMatch(/secrets\.|NODE_AUTH_TOKEN|pull_request_target/);
  }
});

test("a release is published with provenance, after the tests and the addons, with its bill of materials", () => {
  expect(release).toMatch(/\n {2}publish:\n {4}needs: \[test, prebuild\]\n/);
  expect(release).toContain("npm publish --provenance");
  expect(release).toContain("npm run sbom --silent > sbom.cdx.json");
});

test("the addons that are built are those that a release asks for and that the decision names", () => {
  const built = found(prebuild ?? "", /\{ name: ([a-z0-9-]+), runner/g);
  const asked = /for name in ([a-z0-9 -]+); do/
    .exec(release ?? "")?.[1]
    ?.split(" ")
    .sort();
  expect(built.length).toBe(6);
  expect(asked).toEqual(built);
  const decision = textOf("docs/decisions/prebuilt-addons.md");
  for (const name of built) expect(decision).toContain(name);
});

test("whatever is installed here has a hash, and no script of its own; npm ci runs none", () => {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8"));
  const installed = Object.entries<Record<string, unknown>>(packages).filter(([path]) => path);
  const without = installed.filter(([, entry]) => entry["integrity"] === undefined);
  expect(without.map(([path]) => path)).toEqual([]);
  const scripted = installed.filter(([, entry]) => entry["hasInstallScript"] === true);
  expect(scripted.map(([path]) => path)).toEqual([]);
  for (const { name, text } of workflows) {
    const calls = [...text.matchAll(/\bnpm ci\b.*$/gm)].map(([line]) => line);
    expect(
      calls.filter((line) => !line.includes("--ignore-scripts")),
      name,
    ).toEqual([]);
  }
  const setup = readFileSync(join(projectRoot, "scripts/setup.mjs"), "utf8");
  expect(setup).toContain('installDependencies(".", "dependencies", "--ignore-scripts")');
});

test("each line of the checklist has a test", () => {
  const checklist = textOf("docs/security.md").split("## Checklist")[1] ?? "";
  const lines = found(checklist, /^\| (?!what holds|-)(.*) \|$/gm);
  expect(lines.length).toBeGreaterThan(20);
  expect(
    lines.filter((line) => !/ \| \[[\w/-]+\]\(\.\.\/test\/\S+\.test\.ts\)/.test(line)),
  ).toEqual([]);
});
