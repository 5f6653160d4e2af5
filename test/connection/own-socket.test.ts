/**
 * Accepted sockets of node:net whose bytes the kernel writes where they are decoded: what is told, and to whom.
 * That every protocol is served over them is shown by the suites of test/serve and test/conformance.
 */
import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { request } from "../../src/client/client.ts";
import { isUnixSocket, own, type SocketOwner } from "../../src/connection/own-socket.ts";
import { serve } from "../../src/serve/serve.ts";
import { Room } from "../support/front/ports.ts";

/** Writes down what it is told. */
class Recorder implements SocketOwner {
  readonly view = Buffer.alloc(65_536);
  readonly told: string[] = [];
  #waiting: (() => void) | undefined;

  received(chunk: Buffer): void {
    this.#tell(`chunk ${chunk.toString("latin1")}`);
  }
  receivedInPlace(length: number): void {
    this.#tell(`in place ${this.view.toString("latin1", 0, length)}`);
  }
  ended(): void {
    this.#tell("ended");
  }
  drained(): void {
    this.#tell("drained");
  }
  closed(): void {
    this.#tell("closed");
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#waiting?.();
  }

  /** Resolves once so much was told. */
  async until(count: number): Promise<string[]> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.told;
  }
}

const room = new Room("own-socket");
afterAll(() => room.remove());

describe.each(["unix", "tcp"] as const)("an accepted socket over %s", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = createServer({ allowHalfOpen: true });
    server.listen(way === "unix" ? { path: room.file("s") } : { host: "127.0.0.1", port: 0 });
    await once(server, "listening");
  });
  afterAll(() => {
    server.close();
  });

  /** Both ends of a connection. */
  async function pair(): Promise<[accepted: Socket, peer: Socket]> {
    const address = server.address()!;
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const peer =
      typeof address === "string"
        ? createConnection(address)
        : createConnection(address.port, "127.0.0.1");
    return [(await accepted)[0], peer];
  }

  it("knows whether its peer comes by a unix socket", async () => {
    const [accepted, peer] = await pair();
    expect(isUnixSocket(accepted)).toBe(way === "unix");
    peer.destroy();
    accepted.destroy();
  });

  it("has its bytes written into the view, on every Node that is supported", async () => {
    const [accepted, peer] = await pair();
    const recorder = new Recorder();
    own(accepted, recorder, recorder.view);
    peer.write("one");
    await recorder.until(1);
    peer.write("two");
    await recorder.until(2);
    peer.end();
    await recorder.until(3);
    accepted.end();
    expect(await recorder.until(4)).toEqual(["in place one", "in place two", "ended", "closed"]);
  });

  it("reads nothing while it is paused, and goes on where it stopped", async () => {
    const [accepted, peer] = await pair();
    const recorder = new Recorder();
    own(accepted, recorder, recorder.view);
    accepted.pause();
    await new Promise<void>((resolve) => {
      peer.end("late", resolve);
    });
    // What comes later on another connection has been read.
    const [other, otherPeer] = await pair();
    const otherRecorder = new Recorder();
    own(other, otherRecorder, otherRecorder.view);
    otherPeer.end("later");
    await otherRecorder.until(2);
    other.destroy();
    expect(recorder.told).toEqual([]);
    accepted.resume();
    expect(await recorder.until(2)).toEqual(["in place late", "ended"]);
    accepted.destroy();
  });

  it("tells of chunks where no view is given, and where it holds bytes already", async () => {
    const [plain, plainPeer] = await pair();
    const first = new Recorder();
    own(plain, first, undefined);
    plainPeer.write("plain");
    expect(await first.until(1)).toEqual(["chunk plain"]);
    const [holding, holdingPeer] = await pair();
    const second = new Recorder();
    holding.unshift(Buffer.from("held"));
    own(holding, second, second.view);
    expect(await second.until(1)).toEqual(["chunk held"]);
    for (const socket of [plain, plainPeer, holding, holdingPeer]) socket.destroy();
  });
});

describe('a listener of "connection"', () => {
  it("still hears the bytes of a socket over node:net", async () => {
    const socket = room.file("heard");
    const server = serve((_req, res) => res.end("answer"), {
      protocol: "fastcgi",
      transport: "node",
      socket,
    });
    let heardBytes = 0;
    server.on("connection", (accepted: Socket) => {
      accepted.on("data", (chunk: Buffer) => {
        heardBytes += chunk.length;
      });
    });
    await server.ready();
    const answer = await request({ protocol: "fastcgi", address: { socket }, url: "/" });
    expect(await answer.text()).toBe("answer");
    expect(heardBytes).toBeGreaterThan(16);
    await server.shutdown();
  });
});
