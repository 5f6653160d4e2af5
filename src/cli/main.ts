/**
 * The program `postern`: its arguments → help, version, or a served application; its mistakes → one sentence, status 2.
 *
 * Everything of substance is elsewhere: arguments.ts reads, start.ts serves. Status 1: the application failed, or the
 * process was ended by force.
 */
import { inspect } from "node:util";
import { selectEngine } from "../engine/select.ts";
import { UsageError } from "../errors.ts";
import { readArguments, type ServeCommand } from "./arguments.ts";
import { runClientVerb } from "./client-verbs.ts";
import { isClientVerb } from "./client-words.ts";
import { hasColours } from "./colour.ts";
import { completionScript } from "./completion.ts";
import { printConfig } from "./config.ts";
import { initialise } from "./init.ts";
import { ownScreen } from "./client-screen.ts";
import { runDoctor } from "./doctor.ts";
import { AppFailure } from "./load-app.ts";
import { startPrimary } from "./primary.ts";
import { launch, takeFooting } from "./footing.ts";
import { output } from "./output.ts";
import { say, start } from "./start.ts";
import { usage, verbUsage } from "./usage.ts";
import { isVerb, readVerb, type Verb } from "./verbs.ts";
import { runVerb } from "./verb-runs.ts";
import { readVersion } from "../serve/version.ts";
import { startFacts } from "../workers/start-place.ts";

const STATUS_FAILED = 1;
const STATUS_USAGE = 2;

/** `postern 0.1.0, engine native (why), node v20.20.2`. */
function versionLine(): string {
  const engine = (): string => {
    try {
      const { name, reason } = selectEngine().choice;
      return `${name} (${reason})`;
    } catch (error) {
      // Asking for the version must work even where the engine that is asked for does not.
      return `none (${(error as Error).message})`;
    }
  };
  return `postern ${readVersion()}, engine ${engine()}, node ${process.version}`;
}

/** Says what went wrong; returns the exit status. */
function report(error: unknown): number {
  if (error instanceof UsageError) {
    say(error.message);
    if (error.code !== "ERR_APP_START") return STATUS_USAGE;
    output.print(inspect(error.cause));
    return STATUS_FAILED;
  }
  if (error instanceof AppFailure) {
    say(error.message);
    // Only Node itself can show the line of a syntax error, and does so for errors that nobody catches.
    if (error.cause instanceof SyntaxError) throwUncaught(error.cause);
    else output.print(inspect(error.cause));
    return STATUS_FAILED;
  }
  say(inspect(error));
  return STATUS_FAILED;
}

function throwUncaught(error: Error): void {
  process.removeAllListeners("uncaughtException");
  process.nextTick(() => {
    throw error;
  });
}

/** `postern status` and its like. */
async function askRunning(verb: Verb, words: readonly string[]): Promise<void> {
  const command = readVerb(verb, words, process.env);
  const { stdout, env } = process;
  if (command.help) return void stdout.write(verbUsage());
  const screen = {
    write: (text: string) => void stdout.write(text),
    isTerminal: stdout.isTTY,
    hasColours: hasColours(stdout.isTTY, env),
  };
  process.exitCode = await runVerb(command, screen, say);
}

async function main(): Promise<void> {
  const [verb, ...words] = process.argv.slice(2);
  try {
    if (verb === "config") return void process.stdout.write(printConfig(words));
    if (isClientVerb(verb)) return void (await output.end(await runClientVerb(verb, words)));
    if (verb === "doctor") return void (await output.end(await runDoctor(words, ownScreen())));
    if (verb === "completion") return void process.stdout.write(completionScript(words));
    if (verb === "init") return void process.stdout.write(await initialise(words));
    if (isVerb(verb)) return await askRunning(verb, words);
    const command = readArguments(process.argv.slice(2));
    if (command.kind === "help") process.stdout.write(usage());
    else if (command.kind === "version") process.stdout.write(`${versionLine()}\n`);
    else await serveOrLaunch(command);
  } catch (error) {
    const status = report(error);
    // The application may have left timers behind: only exit() ends for sure.
    process.nextTick(() => void output.end(status));
  }
}

async function serveOrLaunch(written: ServeCommand): Promise<void> {
  const status = await launch(written);
  if (status !== undefined) return void (await output.end(status));
  // Without the launcher's mark, and before anything changes the folder.
  const started = startFacts();
  const command = takeFooting(written);
  if (command.processes.method === "single") await start(command);
  else await startPrimary(command, started);
}

void main();
