/**
 * The command line with an application that has to be made ready, as Fastify's and NestJS's have to. In processes of
 * their own.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, makeProgram, type Program } from "./program.ts";

let program: Program;
beforeAll(async () => {
  program = await makeProgram();
});
afterAll(() => program.clear());

const path = (name: string): string => join(program.folder, name);

describe("an application that has to be made ready", () => {
  const source = (ready: string): string => `
    console.error("loaded");
    export default {
      ready: async () => { console.error("ready"); ${ready} },
      routing: (req, res) => res.end("routed"),
      close: async () => {
        await new Promise((done) => setTimeout(done, 50));
        console.error("closed");
      },
    };`;

  test("is so before the start line, and closed before the process ends", async () => {
    fs.writeFileSync(path("waits.mjs"), source(""));
    const running = program.start(["waits.mjs", "--protocol", "http", "--socket", path("w.sock")]);
    await running.started;
    expect(running.stderr()).toMatch(/^loaded\nready\npostern \d/);
    expect(await ask({ socketPath: path("w.sock") })).toBe("routed");
    running.child.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(running.stderr()).toMatch(/\npostern: SIGTERM: finishing what runs\nclosed\n$/);
  });

  test("ends the command with status 1 and its own error where it cannot", async () => {
    fs.writeFileSync(path("fails.mjs"), source("throw new RangeError('no database');"));
    const { code, stderr } = await program.run(["fails.mjs", "--socket", path("f.sock")]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "\npostern: The application's ready() failed, so nothing listens; mend it first: no database\nRangeError: no database\n    at ",
    );
    expect(fs.existsSync(path("f.sock"))).toBe(false);
  });
});
