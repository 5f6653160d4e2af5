/**
 * The operator's wishes about a process → that process: its folder, mask, files and pid file, in the order that makes
 * each mean what was written (heritage §3.4, T4, T6); and its launcher, where it is to leave the terminal.
 *
 * Serves nothing. Everything holds in the foreground as well, where runfcgi ignored most of it.
 */
import * as fs from "node:fs";
import { checkPidfile, OwnPidfile } from "../workers/pidfile.ts";
import { launchDaemon, linkToLauncher } from "../workers/daemon.ts";
import { isSuccessor } from "../workers/predecessor.ts";
import { LogFile } from "../observe/log-file.ts";
import { normalizeOptions } from "../serve/options.ts";
import type { ServeCommand } from "./arguments.ts";
import { output } from "./output.ts";
import { checkPathsApart } from "./paths-apart.ts";
import { changeFolder, commandFrom, fixEnvironment } from "./paths.ts";

/** A descriptor for what the daemon, or a program that it starts, prints past us. */
async function descriptorOf(path: string | undefined): Promise<number | undefined> {
  if (path === undefined) return undefined;
  // Opened and closed once: the mistakes of a path are told by one file only.
  await new LogFile(path).close();
  return fs.openSync(path, "a");
}

/**
 * Leaves the terminal to the caller, where that is wished and has not been done.
 *
 * @returns the exit status of this process, which is the launcher then; undefined: this process serves
 * @throws UsageError where a file of outlog or errlog cannot be had
 */
export async function launch(written: ServeCommand): Promise<number | undefined> {
  const link = linkToLauncher();
  if (link !== undefined) {
    output.tell(link);
    // As if somebody had stopped it: whatever is there by now knows how to leave.
    link.onLost(() => process.kill(process.pid, "SIGTERM"));
    return undefined;
  }
  // What takes a daemon's place is where it shall be.
  if (!written.processes.daemonize || isSuccessor()) return undefined;
  const folder = process.cwd();
  const { processes } = commandFrom(folder, written);
  const env = { ...process.env };
  fixEnvironment(folder, env);
  return launchDaemon({
    words: [...process.execArgv, process.argv[1]!, ...written.words],
    env,
    stdout: await descriptorOf(processes.outlog),
    stderr: await descriptorOf(processes.errlog),
    print: (text) => void process.stderr.write(text),
  });
}

/** As in runfcgi, the mask holds for every file of the application, and not for the socket alone. */
function applyUmask({ options: { umask } }: ServeCommand): void {
  if (umask !== undefined) process.umask(Number.parseInt(String(umask).replace("o", ""), 8));
}

/**
 * Makes this process what the operator wishes.
 *
 * @returns the command as it is to be understood from here on
 * @throws UsageError where a wish cannot be met
 */
export function takeFooting(written: ServeCommand): ServeCommand {
  const folder = process.cwd();
  // Wrong values first: nothing has been touched yet.
  normalizeOptions(written.options, process.env);
  const fixed = commandFrom(folder, written);
  checkPathsApart(fixed);
  const { workdir, outlog, errlog, pidfile } = fixed.processes;
  if (pidfile !== undefined) checkPidfile(pidfile);
  if (workdir !== undefined) {
    fixEnvironment(folder, process.env);
    changeFolder(workdir);
  }
  applyUmask(written);
  output.open(outlog, errlog, !isSuccessor());
  // Where the folder stays, messages show paths as they were written.
  return workdir === undefined ? { ...written, processes: fixed.processes } : fixed;
}

/**
 * It serves, by itself and without workers: writes the pid file, and says so.
 *
 * @throws UsageError where the file cannot be written
 */
export function nowServing({ processes: { pidfile } }: ServeCommand, line: string): void {
  new OwnPidfile(pidfile).claim();
  output.ready(line);
}
