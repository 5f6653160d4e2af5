/**
 * What clients of the control socket may do that no command of ours does: ask without reading, and come in crowds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askControl } from "../../src/workers/control-client.ts";
import { CLIENTS_MAX } from "../../src/workers/control-messages.ts";
import { ControlServer } from "../../src/workers/control-server.ts";
import { pause, until } from "../support/behaviour.ts";

const COUNT = 2_000;
const ANSWER = { text: "x".repeat(8_192) };

let folder = "";
let server: ControlServer;
let asked = 0;
const path = (): string => join(folder, "control");
const open = (): Promise<Socket> =>
  new Promise((resolve) => {
    const socket: Socket = connect({ path: path() }, () => resolve(socket));
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-control-"));
  server = await ControlServer.open(path(), {
    async obey() {
      asked++;
      return ANSWER;
    },
  });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test("who asks without reading is answered as much as its socket holds, and the rest once it reads", async () => {
  const socket = await open();
  socket.pause();
  socket.write('{"verb":"status"}\n'.repeat(COUNT));
  await until(() => asked > 0);
  for (let before = -1; before !== asked; await pause(200)) before = asked;
  expect(asked).toBeLessThan(COUNT / 2);
  let lines = 0;
  socket.on("data", (chunk: Buffer) => (lines += chunk.toString("latin1").split("\n").length - 1));
  socket.resume();
  await until(() => lines === COUNT, 10_000);
  socket.destroy();
});

test("one more than are served is told to try again", async () => {
  const crowd = await Promise.all(Array.from({ length: CLIENTS_MAX }, open));
  await expect(askControl(path(), { verb: "status" }, 5_000)).rejects.toThrow(
    /No postern answers on ".*control": it (hung up at once|ended before)/,
  );
  for (const socket of crowd) socket.destroy();
  await until(async () => {
    const told = await askControl(path(), { verb: "status" }, 5_000).catch(() => undefined);
    told?.close();
    return told?.answer.ok === true;
  });
});
