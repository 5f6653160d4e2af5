/**
 * How this process was started → the command that starts it again, with everything looked up anew.
 *
 * A package, a node or a release folder that was replaced meanwhile is so used by the next one: names are followed as the
 * shell followed them, and not where they led at the first start. To be read before anything changes folder or
 * environment. Starts nothing.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** A command that starts this program anew. */
export interface StartCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What of the process matters here. */
export interface StartFacts {
  /** As the program was called: `node`. */
  readonly argv0: string;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** Path of the script, and the words behind it. */
  readonly script: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

function isProgram(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The program of that name, as a shell finds it. */
function findProgram({ argv0, execPath, cwd, env }: StartFacts): string {
  if (argv0.includes("/")) {
    const path = resolve(cwd, argv0);
    return isProgram(path) ? path : execPath;
  }
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, argv0)).find(isProgram) ?? execPath;
}

/** The folder by the name under which it was entered: a link may lead elsewhere by now. */
function findFolder({ cwd, env }: StartFacts): string {
  const { PWD: named } = env;
  try {
    return named !== undefined && realpathSync(named) === realpathSync(cwd) ? named : cwd;
  } catch {
    return cwd;
  }
}

/** Notes how this process was started. */
export function startFacts(): StartFacts {
  const { argv0, execPath, execArgv, argv } = process;
  const facts = {
    argv0,
    execPath,
    execArgv: [...execArgv],
    script: argv[1] ?? "",
    words: argv.slice(2),
    cwd: process.cwd(),
    env: { ...process.env },
  };
  const cwd = findFolder(facts);
  // node has made the script's path absolute, by where the folder's name led then.
  const below = facts.script.startsWith(`${facts.cwd}/`);
  const script = below ? join(cwd, facts.script.slice(facts.cwd.length)) : facts.script;
  return { ...facts, cwd, script };
}

/**
 * The command that starts it again, as of now.
 *
 * @throws Error when the folder in which it was started is gone
 */
export function startAgain(facts: StartFacts): StartCommand {
  if (!existsSync(facts.cwd)) throw new Error(`The folder ${facts.cwd} is gone.`);
  return {
    program: findProgram(facts),
    args: [...facts.execArgv, facts.script, ...facts.words],
    cwd: facts.cwd,
  };
}
