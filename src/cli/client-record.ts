/**
 * `postern record` and `postern replay`: requests as a web server sent them → a file, and back to an application.
 *
 * A recording holds whatever a web server sends, cookies and secrets too: its file is for its owner alone, and nothing of it
 * is printed.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { type RecordedConnection, startRecorder } from "../client/recorder.ts";
import { replayConnection } from "../client/replay.ts";
import { UsageError } from "../errors.ts";
import { readTarget, targetText } from "./client-address.ts";
import type { ClientScreen } from "./client-screen.ts";
import { type ClientCommand, lastValue, msValue } from "./client-words.ts";

const REPLAY_MS = 60_000;
/** A recording may have cookies and secrets in it. */
const FILE_MODE = 0o600;

function fileError(path: string, cause: unknown, remedy: string): UsageError {
  const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
  return new UsageError(
    `The recording ${JSON.stringify(path)} cannot be used (${code}); ${remedy}.`,
    "ERR_USAGE",
    { cause },
  );
}

function fileOf({ verb, rest }: ClientCommand): string {
  if (rest.length === 1) return rest[0]!;
  throw new UsageError(
    `postern ${verb} takes an address and one file, as in postern ${verb} 127.0.0.1:9000 requests.jsonl.`,
  );
}

function openRecording(path: string): number {
  try {
    return openSync(path, "ax", FILE_MODE);
  } catch (cause) {
    throw fileError(path, cause, "name a file that is not there yet, in a folder that is");
  }
}

/** Resolves when the process is asked to end. */
function interrupted(): Promise<void> {
  return new Promise((done) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => done());
  });
}

/**
 * Runs `postern record` until it is interrupted.
 *
 * @returns 0
 * @throws UsageError for a place where it cannot listen, and a file that is there
 */
export async function runRecord(command: ClientCommand, screen: ClientScreen): Promise<number> {
  const place = lastValue(command, "listen");
  if (place === undefined) {
    throw new UsageError(
      "Where does the web server connect to? Write --listen HOST:PORT or --listen SOCKET.",
    );
  }
  const { address: own } = readTarget(place, command.target.protocol);
  const path = fileOf(command);
  const ended = interrupted();
  const file = openRecording(path);
  let count = 0;
  const record = (connection: RecordedConnection): void => {
    writeSync(file, `${JSON.stringify(connection)}\n`);
    count += 1;
  };
  const { protocol, address } = command.target;
  const listen = "socket" in own ? { path: own.socket } : own;
  const onError = (error: Error): void => screen.note(`postern: ${error.message}\n`);
  const options = { protocol, address, listen, onRecorded: record, onError };
  const recorder = await startRecorder(options).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new UsageError(
      `--listen is ${JSON.stringify(place)}, where nothing can listen (${code}); write another.`,
    );
  });
  screen.note(
    `postern: Recording what comes to ${place} for ${targetText(command.target)}; Ctrl-C ends it.\n`,
  );
  await ended;
  await recorder.stop();
  closeSync(file);
  await screen.write(`${count} connections in ${path}\n`);
  return 0;
}

/** The connections of a recording. */
function readRecording(path: string): RecordedConnection[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw fileError(path, cause, "name one that postern record has written");
  }
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    try {
      const value = JSON.parse(line) as RecordedConnection;
      if (Array.isArray(value.pieces) && Array.isArray(value.statuses)) return value;
    } catch {
      // Said below, without the line itself.
    }
    throw new UsageError(
      `Line ${index + 1} of ${JSON.stringify(path)} is no recorded connection; name a file of postern record.`,
    );
  });
}

/**
 * Runs `postern replay`: one connection after the other.
 *
 * @returns 0 where every status is as recorded, otherwise 1
 * @throws ClientError where the application cannot be reached; UsageError
 */
export async function runReplay(command: ClientCommand, screen: ClientScreen): Promise<number> {
  const { protocol, address } = command.target;
  const path = fileOf(command);
  const recording = readRecording(path);
  const other = recording.find((connection) => connection.protocol !== protocol);
  if (other !== undefined) {
    throw new UsageError(
      `The recording ${JSON.stringify(path)} is ${other.protocol}, and the address says ${protocol}; write --protocol ${other.protocol} or such an address.`,
    );
  }
  const timeoutMs = msValue(command, "timeout", REPLAY_MS);
  let same = 0;
  let differing = 0;
  for (const [index, recorded] of recording.entries()) {
    const statuses = await replayConnection(recorded, address, timeoutMs);
    for (let at = 0; at < Math.max(statuses.length, recorded.statuses.length); at += 1) {
      const [was, is] = [recorded.statuses[at], statuses[at]];
      if (was === is) {
        same += 1;
        continue;
      }
      differing += 1;
      const said = `was ${was ?? "not answered"}, is ${is ?? "not answered"}`;
      await screen.write(`connection ${index + 1}, answer ${at + 1}: ${said}\n`);
    }
  }
  await screen.write(`${same} answers as recorded, ${differing} differ\n`);
  return differing === 0 ? 0 : 1;
}
