/**
 * What handlers of requests that a stop cuts off hear of it, and the time they have to clean up. A process each.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/front/ports.ts";
import { begin, params, stdin, USUAL } from "../support/transcript-frames.ts";
import { makeProgram, type Program, type Running, SPEECHES } from "./program.ts";

/** Writes down what happens to a request that never ends, and cleans up after it as applications do. */
const APP = `
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
const note = (line) => appendFileSync(process.env.NOTES, line + "\\n");
export default (req, res) => {
  res.write("begun");
  req.gateway.signal.addEventListener("abort", async () => {
    note("signal " + req.gateway.signal.reason.code);
    await sleep(300);
    note("cleaned up");
  });
  req.on("aborted", () => note("aborted"));
  res.on("close", () => note("close"));
  note("begun");
};
`;

interface Scene {
  readonly running: Running;
  readonly client: Socket;
  readonly notes: () => string[];
}

/** A running program with one request that never ends. */
async function begun(program: Program, name: string, words: readonly string[]): Promise<Scene> {
  const socket = join(program.folder, `${name}.sock`);
  const file = join(program.folder, `${name}.notes`);
  const running = program.start(["app.mjs", "--socket", socket, ...words], {
    env: { NOTES: file },
  });
  await running.started;
  const notes = (): string[] =>
    existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const client = connect(socket);
  client.on("error", () => undefined).resume();
  client.write(Buffer.concat([begin(1), params(1, USUAL), stdin(1)]));
  await until("the handler begins", () => notes().includes("begun"));
  return { running, client, notes };
}

const HEARD = ["begun", "signal ERR_CONNECTION_LOST", "aborted", "close"];

const configurations = SPEECHES.filter(({ protocol }) => protocol === "fastcgi").map(
  ({ configuration }) => configuration,
);

describe.each(configurations)("a stop, %s", (configuration) => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.mjs"), APP);
  });
  afterAll(() => program.clear());

  test("that cuts a request off tells its handler, and leaves it time to clean up", async () => {
    const { running, notes } = await begun(program, "cut", ["--timeouts.drain", "300"]);
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(notes()).toEqual([...HEARD, "cleaned up"]);
  });

  test("waits for that no longer than timeouts.kill (B-94)", async () => {
    const words = ["--timeouts.drain", "300", "--timeouts.kill", "50"];
    const { running, notes } = await begun(program, "kill", words);
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(notes()).toEqual(HEARD);
  });

  test("that a client's leave ends tells the handler before it", async () => {
    const { running, client, notes } = await begun(program, "left", []);
    running.child.kill("SIGTERM");
    await until("the stop is said", () => running.stderr().includes("finishing what runs"));
    client.destroy();
    expect((await running.ended).code).toBe(0);
    expect(notes()).toEqual(HEARD);
  });
});
