/**
 * Signals to a primary and to a single process: which are one wish, which are two, and what each is about.
 *
 * The real command, with a request that runs while they come; the time between signals is what the tests are about.
 */
import { writeFileSync } from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import type { ClientResponse } from "../../src/client/response.ts";
import { until } from "../support/behaviour.ts";
import { makeProgram, type Program, type RunOptions, type Running } from "./program.ts";

const APP = `
module.exports = (req, res) => {
  res.write("begun ");
  const ms = Number(req.url.slice(1));
  if (ms > 0) setTimeout(() => res.end("ended"), ms);
};
`;

let program: Program;
beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(join(program.folder, "app.cjs"), APP);
});
afterAll(() => program.clear());

interface Scene {
  readonly running: Running;
  readonly response: ClientResponse;
}

/** A program in which a request runs that takes so long; 0: for ever. */
async function begun(
  socket: string,
  words: readonly string[],
  ms: number,
  options?: RunOptions,
): Promise<Scene> {
  const running = program.start(["app.cjs", ...words], options);
  await running.started;
  const address = { socket: join(program.folder, socket) };
  return { running, response: await request({ protocol: "fastcgi", address, url: `/${ms}` }) };
}

describe.each([
  ["single", ["--method", "single"]],
  ["prefork", ["--workers", "2"]],
] as const)("%s", (name, words) => {
  test.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)(
    "%s twice within a moment is one wish: what runs is finished, status 0 (heritage S3c)",
    async (signal) => {
      const socket = `${name}-${signal}`;
      const { running, response } = await begun(socket, ["--socket", socket, ...words], 900);
      running.child.kill(signal);
      await sleep(100);
      running.child.kill(signal);
      expect(await response.text()).toBe("begun ended");
      expect(await running.ended).toMatchObject({ code: 0, signal: null });
    },
  );

  test("again after that it is meant: the end is at once, status 1", async () => {
    const socket = `${name}-again`;
    const { running, response } = await begun(socket, ["--socket", socket, ...words], 0);
    running.child.kill("SIGTERM");
    await sleep(1_500);
    running.child.kill("SIGINT");
    await expect(response.text()).rejects.toThrow();
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("postern: SIGINT again: ending at once\n"),
    });
  });

  test("on descriptor 0 a request without end ends within 6 s of SIGTERM, however often it comes", async () => {
    const socket = `${name}-zero`;
    const { _createServerHandle: create } = net as unknown as {
      _createServerHandle(path: string, port: number, type: number): { fd: number; close(): void };
    };
    const held = create(join(program.folder, socket), -1, -1);
    const stdio = [held.fd, "pipe", "pipe"] as const;
    const { running, response } = await begun(socket, words, 0, { stdio: [...stdio] });
    const cut = expect(response.text()).rejects.toThrow();
    const sentMs = performance.now();
    running.child.kill("SIGTERM");
    await sleep(1_500);
    running.child.kill("SIGTERM");
    await running.ended;
    expect(performance.now() - sentMs).toBeLessThan(6_000);
    await cut;
    held.close();
  });
});

test("SIGHUP to a single process that is on no terminal opens logs anew and goes on", async () => {
  const words = ["--socket", "hup", "--method", "single"];
  const { running, response } = await begun("hup", words, 600);
  running.child.kill("SIGHUP");
  running.child.kill("SIGUSR1");
  await until(() =>
    running.stderr().includes("SIGHUP: a single process cannot load its code anew"),
  );
  expect(await response.text()).toBe("begun ended");
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});
