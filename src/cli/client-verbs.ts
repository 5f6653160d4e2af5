/**
 * A verb of the client → its run, its help, and what went wrong as a sentence and an exit status.
 *
 * Exit status 0: done. 1: the answer, or `--fail`. 2: wrong words. 3: nobody is there. 4: too late. Of ping 1 stands for 3
 * and 4 too, as health checks of containers know no others.
 */
import { ClientError } from "../errors.ts";
import { runLoadTest } from "./client-load.ts";
import { runGetValues, runPing } from "./client-probe.ts";
import { runRecord, runReplay } from "./client-record.ts";
import { runRequest } from "./client-request.ts";
import { type ClientScreen, ownScreen, ReaderGone } from "./client-screen.ts";
import { clientUsage } from "./client-usage.ts";
import { type ClientCommand, type ClientVerb, readClientWords } from "./client-words.ts";

const STATUS_FAILED = 1;
const STATUS_SILENT = 3;
const STATUS_LATE = 4;

const RUNS: Readonly<
  Record<ClientVerb, (command: ClientCommand, screen: ClientScreen) => Promise<number>>
> = {
  request: runRequest,
  ping: runPing,
  "get-values": runGetValues,
  load: runLoadTest,
  record: runRecord,
  replay: runReplay,
};

/** What a failure is called, with the system's word where it has one. */
function sentenceOf(error: Error): string {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === undefined ? error.message : `${error.message} (${code})`;
}

/** Exit status and sentence of a failure; undefined for one that is not the application's. */
function failureOf(error: unknown): readonly [status: number, sentence: string] | undefined {
  if (error instanceof ClientError) {
    const others = { ERR_CLIENT_CONNECT: STATUS_SILENT, ERR_CLIENT_TIMEOUT: STATUS_LATE };
    const status = (others as Partial<Record<string, number>>)[error.code] ?? STATUS_FAILED;
    return [status, sentenceOf(error)];
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return [
      STATUS_LATE,
      "The application did not answer in time; --timeout SECONDS gives it more.",
    ];
  }
  return undefined;
}

/**
 * Runs a verb.
 *
 * @param words what stands behind it
 * @returns the exit status
 * @throws UsageError for wrong words, and what nobody expected
 */
export async function runClientVerb(verb: ClientVerb, words: readonly string[]): Promise<number> {
  const screen = ownScreen();
  const command = readClientWords(verb, words);
  try {
    if (command.help) {
      await screen.write(clientUsage(verb));
      return 0;
    }
    return await RUNS[verb](command, screen);
  } catch (error) {
    if (error instanceof ReaderGone) return STATUS_FAILED;
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    screen.note(`postern: ${failure[1]}\n`);
    return verb === "ping" ? STATUS_FAILED : failure[0];
  }
}
