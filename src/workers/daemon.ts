/**
 * A command → the same command in a process without terminal, while the one at the terminal waits until it serves.
 *
 * The launcher passes on what the daemon says until it is ready, and ends as it ends: an error is never lost in a process
 * that nobody sees (heritage §3.4, §3.6). The daemon starts anew instead of forking, which Node cannot; it needs
 * neither PATH nor HOME (heritage T10).
 */
import { spawn } from "node:child_process";
import type { StdioOptions } from "node:child_process";

/** Marks the daemon in its environment, until it has read that. */
const MARK = "POSTERN_DAEMON";

/** Daemon → launcher. */
type Word =
  | { readonly kind: "text"; readonly text: string }
  /** It serves: the launcher's time has come. */
  | { readonly kind: "ready" };

/** What the launcher starts. */
export interface DaemonPlan {
  /** Words behind the program's name: Node's own, the program, and its arguments. */
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Descriptors for standard output and error; undefined: nowhere. */
  readonly stdout: number | undefined;
  readonly stderr: number | undefined;
  /** Hears what the daemon says. */
  readonly print: (text: string) => void;
}

/** Lines of ours, which nobody else's begin like. */
const OURS = "postern: ";

/**
 * Starts a daemon.
 *
 * @returns the status with which the launcher shall end: 0 once the daemon serves, else that of the daemon, which is 1
 *   where it ended as if all were well
 */
export function launchDaemon(plan: DaemonPlan): Promise<number> {
  const stdio: StdioOptions = ["ignore", plan.stdout ?? "ignore", plan.stderr ?? "ignore", "ipc"];
  const child = spawn(process.execPath, plan.words, {
    // A session of its own: no terminal can end it.
    detached: true,
    // As it was called: a later upgrade looks for it by that name.
    argv0: process.argv0,
    env: { ...plan.env, [MARK]: "1" },
    stdio,
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const) {
    process.on(signal, () => child.kill("SIGTERM"));
  }
  let isReady = false;
  let isExplained = false;
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.on("message", (word: Word) => {
      if (word.kind === "text") {
        isExplained ||= word.text.startsWith(OURS);
        return plan.print(word.text);
      }
      isReady = true;
      child.disconnect();
      resolve(0);
    });
    // Behind the last message, unlike "exit".
    child.once("close", (code, signal) => {
      // An application that ends the process, or crashes it, leaves nobody who could say so.
      const how = signal ?? `exit status ${code}`;
      if (!isReady && !isExplained)
        plan.print(`${OURS}The daemon ended with ${how} before it served.\n`);
      resolve(code === null || code === 0 ? 1 : code);
    });
  });
}

/** The daemon's end of the wire to its launcher. */
export interface LauncherLink {
  /** Shows text at the terminal. */
  print(text: string): void;
  /** It serves. Nothing is said to the launcher any more. */
  ready(): void;
  /** Resolves when everything said has been heard. */
  told(): Promise<void>;
  /** Called when the launcher is gone before it heard that this process serves. */
  onLost(lost: () => void): void;
}

/**
 * The link of a process that a launcher started; undefined for any other. To be called once, before the environment is
 * passed to anybody.
 */
export function linkToLauncher(): LauncherLink | undefined {
  if (process.env[MARK] === undefined) return undefined;
  delete process.env[MARK];
  if (process.send === undefined) return undefined;
  let last = Promise.resolve();
  let lost = (): void => undefined;
  let isReady = false;
  const send = (word: Word): void => {
    if (isReady || !process.connected) return;
    last = new Promise((resolve) => process.send!(word, () => resolve()));
  };
  process.on("disconnect", () => {
    if (!isReady) lost();
  });
  // The wire alone is no reason to go on.
  process.channel?.unref();
  return {
    print: (text) => send({ kind: "text", text }),
    ready(): void {
      send({ kind: "ready" });
      isReady = true;
    },
    told: () => last,
    onLost(wanted): void {
      lost = wanted;
    },
  };
}
