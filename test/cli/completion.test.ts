/**
 * `postern completion`, asked as bash asks it; the scripts of zsh and fish are read by those shells where they are installed.
 * And who gets colours.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { coloured, hasColours } from "../../src/cli/colour.ts";
import { findProgram } from "../support/front/child.ts";
import { makeProgram, type Program } from "./program.ts";

let program: Program;
beforeAll(async () => {
  program = await makeProgram();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout, stderr } = await program.run(["completion", shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    writeFileSync(join(program.folder, shell), stdout);
  }
});
afterAll(() => program.clear());

/** What bash offers behind a line, whose last word is not finished. */
function offered(line: string): string[] {
  const words = line.split(" ").map((word) => `'${word}'`);
  const script = `. ./bash; COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}
    _postern; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], {
    cwd: program.folder,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test.each([
  ["postern co", ["config", "completion"]],
  ["postern config ng", ["nginx"]],
  ["postern config nginx --server-n", ["--server-name"]],
  ["postern init --framework ex", ["express"]],
  ["postern init --fr", ["--framework", "--front"]],
  ["postern app.mjs --limits.body", ["--limits.body-bytes"]],
  ["postern app.mjs --protocol f", ["fastcgi"]],
  ["postern reload --pid", ["--pidfile"]],
  ["postern get", ["get-values"]],
  ["postern load fastcgi://h --req", ["--requests"]],
  ["postern completion z", ["zsh"]],
  ["postern ./a", []],
] as const)("bash completes %j", (line, words) => {
  expect(offered(line)).toEqual(words);
});

test.for(["zsh", "fish"])("the script for %s passes that shell's own check", (shell, context) => {
  const path = findProgram(shell);
  // Set-up installs web servers and no shells, so this is no failure anywhere.
  if (path === undefined) return context.skip(`${shell} is not installed`);
  const { status, stderr } = spawnSync(path, ["-n", join(program.folder, shell)]);
  expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: "" });
});

test("the scripts for zsh and fish have the words of bash's", () => {
  for (const shell of ["zsh", "fish"]) {
    const text = readFileSync(join(program.folder, shell), "utf8");
    for (const word of ["config", "nginx", "express", "limits.body-bytes"]) {
      expect(text).toContain(word);
    }
  }
});

test.each([[[]], [["bahs"]], [["bash", "zsh"]]])("completion %j is refused", async (words) => {
  const { code, stderr } = await program.run(["completion", ...words]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^postern: postern completion takes one shell, bash or zsh or fish, as in: [^\n]+\n$/,
  );
});

describe("colours", () => {
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
    [true, { FORCE_COLOR: "0" }, false],
  ])("terminal %s with %j: %s", (isTerminal, env, expected) => {
    expect(hasColours(isTerminal, env)).toBe(expected);
  });

  test("are nothing where there are none", () => {
    expect([coloured("x", "bold", true), coloured("x", "bold", false)]).toEqual([
      "\u001b[1mx\u001b[0m",
      "x",
    ]);
  });
});
