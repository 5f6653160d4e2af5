/**
 * Free ports of 127.0.0.1, private folders, and the moment when a server listens.
 *
 * Starts nothing and owns no server. Folders are enterable by everyone from the root down, because the
 * workers of nginx, Apache and lighttpd run as an ordinary user when the tests run as root.
 */
import { randomInt } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Where somebody listens. */
export type Address =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number };

/** Ports to choose from: below those that the kernel gives to outgoing connections, which come and go all the time. */
const PORT_MIN = 12_000;
const PORT_MAX = 31_999;

/** Listens at a port for a moment; undefined when somebody has it. */
function hold(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((done) => {
    server.once("error", () => done(undefined));
    server.listen(port, "127.0.0.1", () => done(server));
  });
}

/** Chooses ports that nobody uses now; all are held until the last is chosen, so no two are equal. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    const server = await hold(port);
    if (server !== undefined) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => new Promise((done) => server.close(done))));
  return [...held.keys()];
}

/** Connects to an address; rejects with the connection's error. */
export function connect(address: Address): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket =
      "socket" in address
        ? createConnection(address.socket)
        : createConnection(address.port, address.host);
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.removeListener("error", fail);
      done(socket);
    });
  });
}

/**
 * Waits until somebody accepts at an address.
 *
 * @param isAlive asked between attempts: when false, waiting is over
 * @throws Error when nobody does within `deadlineMs`, or the process is gone
 */
export async function whenListening(
  address: Address,
  isAlive: () => boolean,
  deadlineMs = 15_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    if (!isAlive())
      throw new Error(`the process ended before it listened at ${showAddress(address)}`);
    try {
      (await connect(address)).destroy();
      return;
    } catch (error) {
      if (Date.now() > end) {
        throw new Error(`nobody listens at ${showAddress(address)}`, { cause: error });
      }
      await sleep(20);
    }
  }
}

/** An address as a person reads it. */
export function showAddress(address: Address): string {
  return "socket" in address ? address.socket : `${address.host}:${address.port}`;
}

/** Whether every user may pass through all folders of a path, and read its last part. */
export function reachable(path: string): boolean {
  const last = resolve(path);
  if ((statSync(last).mode & 0o004) === 0) return false;
  for (let folder = dirname(last); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** A private folder that others may enter; short, for a unix socket's path has 107 bytes. */
export class Room {
  readonly path: string;

  constructor(name: string) {
    const parent = reachable(tmpdir()) ? tmpdir() : "/tmp";
    this.path = mkdtempSync(join(parent, `postern-${name}-`));
    chmodSync(this.path, 0o755);
  }

  /** Path of a file in the room. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Makes a folder in the room; `open` ones everybody may write to. */
  folder(name: string, open = false): string {
    const path = this.file(name);
    mkdirSync(path, { recursive: true });
    chmodSync(path, open ? 0o777 : 0o755);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Waits until a condition holds; rejects with `what` when it does not within `deadlineMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(10);
  }
}
