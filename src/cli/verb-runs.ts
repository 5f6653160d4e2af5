/**
 * A verb → a question to a running primary, and its answer on standard output: a table, or JSON.
 *
 * Exit status 0: done. 1: refused, or it failed; the sentence is on stderr. 2: wrong words. 3: nobody answers.
 */
import {
  type ControlAnswer,
  type ControlRequest,
  readStatus,
  type Status,
} from "../workers/control-messages.ts";
import { askControl, type Conversation, SilentControl } from "../workers/control-client.ts";
import { statusLines, workerTable } from "./status-table.ts";
import { topFrames } from "./top.ts";
import { likeliest, type Verb, type VerbCommand } from "./verbs.ts";

/** Longest wait for what a primary knows without asking anybody, in milliseconds. */
const QUICK_MS = 5_000;
const STATUS_REFUSED = 1;
const STATUS_SILENT = 3;

type Result = Readonly<Record<string, unknown>>;

/** Where the output goes. */
export interface Screen {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly hasColours: boolean;
}

/** The primary refused. */
class Refused extends Error {
  override readonly name: string = "Refused";
}

function requestOf({ verb, workers }: VerbCommand): ControlRequest {
  if (verb === "scale") return { verb, count: workers };
  return { verb: verb === "top" ? "status" : verb };
}

function isQuick(verb: Verb): boolean {
  return ["status", "top", "workers", "reopen", "stop"].includes(verb);
}

async function ask(command: VerbCommand): Promise<Conversation> {
  const waitMs = isQuick(command.verb) ? QUICK_MS : 0;
  return askControl(likeliest(command.paths), requestOf(command), waitMs);
}

function resultOf(answer: ControlAnswer): Result {
  if (answer.ok) return answer.result;
  throw new Refused([answer.sentence, answer.detail].filter((text) => text !== "").join("\n"));
}

/** The status of the primary that a command means. */
async function askStatus(command: VerbCommand): Promise<Status> {
  const { answer, close } = await ask({ ...command, verb: "status" });
  close();
  const status = readStatus(resultOf(answer));
  if (status === undefined) {
    throw new Refused("That postern is of another version; what it says cannot be shown.");
  }
  return status;
}

/** What is said when something is done. */
function doneSentence(verb: Verb, result: Result): string {
  const said: Partial<Record<Verb, string>> = {
    reload: `The new workers serve, generation ${result["generation"]}.`,
    upgrade: `Process ${result["pid"]} has taken over.`,
    scale: `${result["count"]} workers serve; before, there were ${result["former"]}.`,
    reopen: "The log files are open anew.",
    stop: `Process ${result["pid"]} has ended.`,
  };
  return said[verb] ?? "Done.";
}

async function runOnce(command: VerbCommand, screen: Screen): Promise<void> {
  const { verb, json } = command;
  if (verb === "status" || verb === "workers") {
    const status = await askStatus(command);
    const isAll = verb === "status";
    const lines = isAll ? statusLines(status) : workerTable(status.workers);
    const value = isAll ? status : status.workers;
    screen.write(json ? `${JSON.stringify(value, undefined, 2)}\n` : `${lines.join("\n")}\n`);
    return;
  }
  const { answer, closed, close } = await ask(command);
  // The end of the primary closes the connection.
  if (verb === "stop" && answer.ok) await closed;
  close();
  const result = resultOf(answer);
  screen.write(json ? `${JSON.stringify(result)}\n` : `${doneSentence(verb, result)}\n`);
}

/**
 * Runs a command.
 *
 * @param say for sentences on stderr
 * @returns the exit status
 */
export async function runVerb(
  command: VerbCommand,
  screen: Screen,
  say: (line: string) => void,
): Promise<number> {
  try {
    if (command.verb === "top") await topFrames(command, screen, () => askStatus(command));
    else await runOnce(command, screen);
    return 0;
  } catch (error) {
    if (error instanceof SilentControl) {
      say(error.message);
      return STATUS_SILENT;
    }
    if (!(error instanceof Refused)) throw error;
    say(error.message);
    return STATUS_REFUSED;
  }
}
