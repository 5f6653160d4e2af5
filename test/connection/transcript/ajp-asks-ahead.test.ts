/**
 * AJP 1.3 bodies of known length from a web server that answers each Get Body Chunk: several may be open at once.
 * Which web server that is, is told by its attributes: httpd and mod_jk send both of these.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { Latch } from "../../support/behaviour.ts";
import { type Peer, transcript } from "../../support/transcript.ts";
import { bodyPacket, forwardRequest, GET_BODY_CHUNK } from "../../support/transcript-frames.ts";

const protocol = "ajp";
const MIB = 1_048_576;
const FULL_BYTES = 8_186;
const ASK_BYTES = GET_BODY_CHUNK.length;
const HTTPD = { AJP_REMOTE_PORT: "51234", AJP_LOCAL_ADDR: "192.0.2.1" };

const post = (length: number, attributes: Record<string, string> = HTTPD): Buffer =>
  forwardRequest({
    method: 4,
    headers: { Host: "a.test", "Content-Length": String(length) },
    attributes,
  });

/** Counts the body. */
const count: NodeHandler = async (req, res) => {
  let bytes = 0;
  for await (const chunk of req) bytes += (chunk as Buffer).length;
  res.end(String(bytes));
};

/** A body packet by packet, as httpd sends it: one for each Get Body Chunk, in order. */
class Uploader {
  /** Packets that are asked for and not sent. */
  open = 0;
  openMax = 0;
  readonly #peer: Peer;
  readonly #packetBytes: number;
  #restBytes: number;

  constructor(peer: Peer, length: number, packetBytes = FULL_BYTES) {
    this.#peer = peer;
    this.#packetBytes = packetBytes;
    this.#restBytes = length;
  }

  get restBytes(): number {
    return this.#restBytes;
  }

  /** The next packets, in one write. */
  sends(packets: number): void {
    const pieces: Buffer[] = [];
    for (let i = 0; i < packets; i++) {
      const bytes = Math.min(this.#restBytes, this.#packetBytes);
      this.#restBytes -= bytes;
      pieces.push(bodyPacket(Buffer.alloc(bytes)));
    }
    this.#peer.sends(...pieces);
  }

  /** Reads what is asked for with one write; each ask must find a byte, however full the packets before it are. */
  async hears(): Promise<void> {
    const bytes = await this.#peer.readSome();
    expect(bytes.toString("hex")).toBe(
      GET_BODY_CHUNK.toString("hex").repeat(bytes.length / ASK_BYTES),
    );
    this.open += bytes.length / ASK_BYTES;
    this.openMax = Math.max(this.openMax, this.open);
    expect(this.open).toBeLessThanOrEqual(Math.ceil(this.#restBytes / FULL_BYTES));
  }

  /** Answers all that is open. */
  answers(): void {
    this.sends(this.open);
    this.open = 0;
  }

  /** Answers until so much is open at once. */
  async hasOpen(packets: number): Promise<void> {
    for (;;) {
      await this.hears();
      if (this.open >= packets) return;
      this.answers();
    }
  }

  /** The whole body. */
  async uploads(): Promise<void> {
    while (this.#restBytes > 0) {
      await this.hears();
      this.answers();
    }
  }
}

/** A request whose first packet has been sent. */
function begins(peer: Peer, length: number, packetBytes?: number): Uploader {
  const uploader = new Uploader(peer, length, packetBytes);
  peer.sends(post(length));
  uploader.sends(1);
  return uploader;
}

describe("several packets of a body", () => {
  transcript(
    "are asked for at once, and never more than the rest has room for (AJP, Get Body Chunk)",
    { protocol, handler: count },
    async ({ peer }) => {
      for (let i = 0; i < 2; i++) {
        const uploader = begins(peer, MIB);
        await uploader.uploads();
        expect(uploader.openMax).toBeGreaterThan(1);
        expect(await peer.answer()).toMatchObject({ body: String(MIB), reuse: true, asked: 0 });
      }
    },
  );

  transcript(
    "may be shorter than asked for (ajp13.md §6)",
    { protocol, handler: count },
    async ({ peer }) => {
      const uploader = begins(peer, 200_000, 1_000);
      await uploader.uploads();
      expect(uploader.openMax).toBeGreaterThan(1);
      expect(await peer.answer()).toMatchObject({ body: "200000", reuse: true, asked: 0 });
    },
  );

  transcript("may come one by one", { protocol, handler: count }, async ({ peer }) => {
    const uploader = begins(peer, 300_000);
    while (uploader.restBytes > 0) {
      if (uploader.open === 0) await uploader.hears();
      uploader.sends(1);
      uploader.open--;
    }
    expect(await peer.answer()).toMatchObject({ body: "300000", reuse: true });
  });

  transcript(
    "hold no more bytes than a handler may leave unread (limits.windowBytes)",
    { protocol, handler: count, limits: { windowBytes: 5 * FULL_BYTES } },
    async ({ peer }) => {
      const uploader = begins(peer, MIB);
      await uploader.uploads();
      expect(uploader.openMax).toBeGreaterThan(1);
      expect(uploader.openMax).toBeLessThanOrEqual(5);
      expect(await peer.answer()).toMatchObject({ body: String(MIB) });
    },
  );

  transcript(
    "are not asked for from a web server of which nobody knows that it answers each",
    { protocol, handler: count },
    async ({ connect }) => {
      for (const name of ["AJP_REMOTE_PORT", "AJP_LOCAL_ADDR"] as const) {
        const peer = await connect();
        const uploader = new Uploader(peer, 100_000);
        peer.sends(post(100_000, { [name]: HTTPD[name] }));
        uploader.sends(1);
        await uploader.uploads();
        expect(uploader.openMax).toBe(1);
        expect(await peer.answer()).toMatchObject({ body: "100000" });
      }
    },
  );
});

describe("with several packets open", () => {
  /** Ends what the handler below waits for. */
  let answerEarly = (): void => undefined;
  const early: NodeHandler = (req, res) => {
    req.resume();
    answerEarly = () => void res.end("early");
  };

  transcript(
    "an early answer ends the connection, and what was asked for is dropped (ajp13.md §6)",
    { protocol, handler: early },
    async ({ peer }) => {
      const uploader = begins(peer, MIB);
      await uploader.hasOpen(3);
      answerEarly();
      expect(await peer.answer()).toMatchObject({ body: "early", asked: 0, reuse: false });
      uploader.answers();
      await peer.expectsClose();
    },
  );

  transcript(
    "an end marker is a body that ends early, whatever else is open (ERR_BODY_SHORT)",
    { protocol, handler: count },
    async ({ peer }) => {
      const uploader = begins(peer, MIB);
      await uploader.hasOpen(3);
      peer.sends(bodyPacket(), bodyPacket(), bodyPacket());
      expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
      await peer.expectsClose();
    },
  );

  transcript(
    "a packet more than was asked for ends the connection (A-5)",
    { protocol, handler: early },
    async ({ peer }) => {
      const uploader = begins(peer, 3 * FULL_BYTES);
      await uploader.hasOpen(1);
      uploader.sends(uploader.open + 1);
      await peer.expectsClose();
    },
  );

  let aborted = new Latch<string | undefined>();
  transcript(
    "a peer that leaves is an abort",
    () => {
      aborted = new Latch();
      const handler: NodeHandler = (req) => {
        req.resume().on("error", (error: NodeJS.ErrnoException) => aborted.open(error.code));
      };
      return { protocol, handler };
    },
    async ({ peer }) => {
      const uploader = begins(peer, MIB);
      await uploader.hasOpen(3);
      peer.socket.destroy();
      expect(await aborted.opened).toBe("ECONNRESET");
    },
  );
});
