/**
 * A protocol transcript: a peer that sends and expects bytes, in front of `serve()` with a given handler.
 *
 *     transcript("answers …", { protocol: "fastcgi", handler }, async ({ peer }) => {
 *       peer.sends(begin(1), params(1, USUAL), stdin(1));
 *       expect(await peer.answer()).toMatchObject({ status: 200, body: "hi" });
 *       await peer.expectsClose();
 *     });
 *
 * It judges nothing by itself: frames are cut, answers are put together, and the test says what they have to be.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import type { Application } from "../../src/serve/application.ts";
import type { ServeOptions } from "../../src/serve/options.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { type Configuration, CONFIGURATIONS, wayOf } from "./engines.ts";
import { Wire } from "./scripted-peer.ts";
import { type Answer, AnswerReader } from "./transcript-answers.ts";

/** Protocols with frames of their own. */
export type FramedProtocol = "fastcgi" | "scgi" | "ajp";

/** Secret of all AJP tests. */
export const SECRET = "sixteen bytes and more";

/** The web server's end. */
export class Peer extends Wire {
  readonly #answers: AnswerReader;

  constructor(socket: Socket, protocol: FramedProtocol) {
    super(socket);
    this.#answers = new AnswerReader(this, protocol);
  }

  /** Writes bytes, in one write. */
  sends(...pieces: readonly (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece as string, "latin1"))));
  }

  /** Reads exactly as many bytes as expected and returns them as hex, for a readable difference. */
  async reads(count: number): Promise<string> {
    return (await this.read(count)).toString("hex");
  }

  /** The next whole answer; of any request id where several are under way (FastCGI). */
  answer(): Promise<Answer> {
    return this.#answers.next();
  }

  /** FastCGI records, AJP packets or bytes that come next, and then FIN. What came is the test's to judge. */
  async expectsClose(): Promise<void> {
    const rest = await this.readToEnd();
    if (rest.length > 0) throw new Error(`not closed: ${rest.toString("latin1")}`);
    if (this.failed !== undefined) throw this.failed;
  }

  /** The connection is reset. What came before it does not matter. */
  async expectsReset(): Promise<void> {
    await this.readToEnd();
    const code = (this.failed as NodeJS.ErrnoException | undefined)?.code;
    if (code !== "ECONNRESET") throw new Error(`not reset but ${code ?? "ended"}`);
  }

  /** Nothing comes for a while, and the connection stays open. */
  async expectsSilence(ms = 60): Promise<void> {
    const some = this.readSome().then((bytes) => {
      throw new Error(bytes.length === 0 ? "closed" : `not silent: ${bytes.toString("latin1")}`);
    });
    some.catch(() => undefined);
    await Promise.race([some, new Promise((resolve) => setTimeout(resolve, ms))]);
  }
}

/** One server and what happens at it. */
export interface Stage {
  readonly server: Server;
  /** The first peer, connected. */
  readonly peer: Peer;
  /** How to reach the server, for the client of src/. */
  readonly address: { socket: string } | { host: string; port: number };
  /** What `onError` was given. */
  readonly errors: unknown[];
  /** Another connection. */
  connect(): Promise<Peer>;
  /** Closes all connections but the first, and forgets them. */
  hangUp(): void;
}

/** What a transcript is played with. */
export interface Scene extends Omit<ServeOptions, "transport"> {
  readonly protocol?: FramedProtocol;
  readonly handler: Application;
  /** @default "unix" */
  readonly transport?: "unix" | "tcp";
}

/** Opens a server, plays, and closes everything. */
export async function play(
  scene: Scene,
  configuration: Configuration,
  script: (stage: Stage) => Promise<void>,
): Promise<void> {
  const { handler, transport = "unix", protocol = "fastcgi", ...options } = scene;
  const directory = mkdtempSync(join(tmpdir(), "postern-stage-"));
  const path = join(directory, "s");
  const errors: unknown[] = [];
  const address = transport === "unix" ? { socket: path } : { host: "127.0.0.1", port: 0 };
  const secret = protocol === "ajp" && transport === "tcp" ? { ajp: { secret: SECRET } } : {};
  const onError = (error: unknown): void => void errors.push(error);
  const way = wayOf(configuration);
  const server = serve(handler, { onError, ...way, protocol, ...secret, ...address, ...options });
  const peers: Peer[] = [];
  try {
    await server.ready();
    const bound = server.address();
    const to = typeof bound === "string" ? { path: bound } : { port: (bound as AddressInfo).port };
    const connectPeer = async (): Promise<Peer> => {
      const socket = connect({ host: "127.0.0.1", ...to, allowHalfOpen: true });
      await once(socket, "connect");
      const peer = new Peer(socket, protocol);
      peers.push(peer);
      return peer;
    };
    const reach = "path" in to ? { socket: to.path } : { host: "127.0.0.1", port: to.port };
    const peer = await connectPeer();
    const hangUp = (): void => {
      for (const one of peers.splice(1)) one.socket.destroy();
    };
    await script({ server, peer, address: reach, errors, connect: connectPeer, hangUp });
  } finally {
    for (const peer of peers) peer.socket.destroy();
    server.closeAllConnections();
    await server.shutdown();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Calls `body` for each configuration that can run: either engine over node:net, and the native transport; `rule` names
 * what is skipped where one cannot.
 */
export function eachEngine(rule: string, body: (configuration: Configuration) => void): void {
  for (const { name, create, reason } of CONFIGURATIONS) {
    if (create !== undefined) body(name);
    else if (process.env["CI"] === "true") throw new Error(`The ${name} engine: ${reason}.`);
    else test.skip(`${rule} · ${name} (skipped: ${reason})`, () => undefined);
  }
}

/** One test for each engine: a rule, a server, and what is said to it. Its name has protocol and engine. */
export function transcript(
  rule: string,
  scene: Scene | (() => Scene),
  script: (stage: Stage) => Promise<void>,
): void {
  const { protocol = "fastcgi" } = typeof scene === "function" ? scene() : scene;
  eachEngine(rule, (engine) => {
    test(`${rule} · ${protocol} · ${engine}`, () =>
      play(typeof scene === "function" ? scene() : scene, engine, script));
  });
}
