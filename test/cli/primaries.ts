/**
 * A primary under test, and whichever took its place since: asked over its control socket, and ended with all its kin.
 *
 * It expects nothing. A primary that took another's place is no child of the test, and is found by its status.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { askControl } from "../../src/workers/control-client.ts";
import {
  type ControlRequest,
  readStatus,
  type Status,
} from "../../src/workers/control-messages.ts";
import { until } from "../support/behaviour.ts";
import type { Program } from "./program.ts";

const WAIT_MS = 30_000;

/** Asks a primary; resolves with the result, rejects with the sentence of its refusal. */
export async function command(
  control: string,
  request: ControlRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const { answer, close } = await askControl(control, request, WAIT_MS);
  close();
  if (!answer.ok) throw new Error(`${answer.sentence}\n${answer.detail}`);
  return answer.result;
}

/** What a primary knows. */
export async function statusOf(control: string): Promise<Status> {
  return readStatus(await command(control, { verb: "status" }))!;
}

/** Does a process live? One that has ended may wait to be reaped by whoever it was left to. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Ends whichever primary answers on `control` inside the program's folder, and waits for it. */
export async function endPrimary(program: Program, control = "s.control"): Promise<void> {
  const path = join(program.folder, control);
  for (;;) {
    const status = await statusOf(path).catch(() => undefined);
    if (status === undefined) return;
    process.kill(status.pid, "SIGTERM");
    await until(() => !isAlive(status.pid), WAIT_MS);
  }
}
