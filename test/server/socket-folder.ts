/**
 * A folder of its own for each test, and in it what openSocketFile makes of paths: living, dead and refused sockets.
 *
 * Everything is asked of the file system and of the socket itself; what should be there is the test's to say. Servers
 * end and the folder goes after each test.
 */
import * as fs from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { UsageError } from "../../src/errors.ts";
import type { UnixSettings } from "../../src/server/settings.ts";
import { pathBinder } from "../../src/server/binding.ts";
import {
  openSocketFile,
  type ProcessFacts,
  type SocketFile,
} from "../../src/server/socket-file.ts";

/** The user who runs the tests; some of them see more as root. */
export const uid: number = process.geteuid!();

/** The folder of the running test. */
export class SocketFolder {
  /** Absolute path. */
  path = "";
  /** What was warned of. */
  warnings: string[] = [];
  readonly #servers: Server[] = [];

  /** Makes the folder. */
  begin(): void {
    this.path = fs.mkdtempSync(join(tmpdir(), "postern-"));
    this.warnings = [];
  }

  /** Ends what was started and removes the folder. */
  end(): void {
    for (const server of this.#servers.splice(0)) server.close();
    fs.rmSync(this.path, { recursive: true });
  }

  /** A path in the folder. */
  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /** What lies in the folder, sorted. */
  names(): string[] {
    return fs.readdirSync(this.path).sort();
  }

  /** This process as openSocketFile sees it. */
  facts(changes: Partial<ProcessFacts> = {}): ProcessFacts {
    return {
      uid,
      setUmask: (mask) => process.umask(mask),
      umask: () => process.umask(),
      warn: (sentence) => this.warnings.push(sentence),
      ...changes,
    };
  }

  /** A server that says "here" and does not listen yet. */
  newServer(): Server {
    const server = createServer((socket) => socket.on("error", () => {}).end("here"));
    this.#servers.push(server);
    return server;
  }

  /** Opens a socket file with the server that it is for. */
  async open(
    path: string,
    settings: Partial<UnixSettings> = {},
    changes: Partial<ProcessFacts> = {},
  ): Promise<SocketFile & { readonly server: Server }> {
    const server = this.newServer();
    const file = await openSocketFile(
      pathBinder(server, 16),
      unixSettings(path, settings),
      this.facts(changes),
    );
    return Object.assign(file, { server });
  }
}

/** Called once in a test file: each of its tests gets a folder. */
export function socketFolder(): SocketFolder {
  const folder = new SocketFolder();
  beforeEach(() => folder.begin());
  afterEach(() => folder.end());
  return folder;
}

/** Settings of a unix socket, mode 660 where nothing else is said. */
export function unixSettings(path: string, settings: Partial<UnixSettings> = {}): UnixSettings {
  return { kind: "unix", path, mode: 0o660, owner: undefined, group: undefined, ...settings };
}

/** The refusal, one sentence. */
export async function refusal(opened: Promise<unknown>): Promise<UsageError> {
  const error = await opened.then(
    () => new Error("it was opened"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect((error as UsageError).message).toMatch(/^[^\n]+\.$/);
  return error as UsageError;
}

/** What the server at a path says; the system's code when nobody answers. */
export function ask(path: string): Promise<string> {
  return new Promise((done) => {
    let text = "";
    connect({ path })
      .on("data", (bytes) => (text += bytes.toString()))
      .on("end", () => done(text))
      .on("error", (error: NodeJS.ErrnoException) => done(error.code ?? ""));
  });
}

/** A socket file on which nobody listens any more. */
export async function makeDead(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(`${path}-`, done));
  fs.renameSync(`${path}-`, path);
  await new Promise((done) => server.close(done));
  expect(await ask(path)).toBe("ECONNREFUSED");
}

/** Permissions, with the sticky bit and its like. */
export const modeOf = (path: string): number => fs.lstatSync(path).mode & 0o7777;
