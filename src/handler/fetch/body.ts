/**
 * A node request's body → a Web stream, or one buffer. Neither reads a byte before somebody wants it, and the stream
 * reads no faster than it is read from. Fetch standard §Body; Streams standard, readable byte streams.
 */
import type { IncomingMessage } from "node:http";

function brokenOff(req: IncomingMessage): Error {
  return req.errored ?? Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}

/** Bytes whose memory a byte stream may take over: a chunk of its own memory as it is, a part of a pool copied. */
export function owned(chunk: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = chunk;
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength;
  return whole ? new Uint8Array(buffer) : new Uint8Array(chunk);
}

/** What feeds one stream. */
class BodySource {
  readonly type = "bytes";
  readonly #req: IncomingMessage;
  #controller: ReadableByteStreamController | undefined;
  #begun = false;
  #wanted = false;
  readonly #take = (): void => this.#feed();
  readonly #end = (): void => this.#close();
  readonly #lost = (): void => this.#fail();

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  pull(controller: ReadableByteStreamController): void {
    this.#wanted = true;
    if (!this.#begun) this.#begin(controller);
    else this.#feed();
  }

  /** The rest is left unread, as by a handler that never looks at it: the response may still be sent. */
  cancel(): void {
    this.#begun = true;
    this.#leave();
  }

  #begin(controller: ReadableByteStreamController): void {
    this.#begun = true;
    this.#controller = controller;
    const req = this.#req;
    if (req.readableEnded) this.#close();
    else if (req.destroyed) this.#fail();
    else {
      req.on("readable", this.#take).on("end", this.#end);
      req.on("error", this.#lost).on("close", this.#lost);
      this.#feed();
    }
  }

  #feed(): void {
    if (!this.#wanted || this.#controller === undefined) return;
    const chunk: Buffer | null = this.#req.read();
    if (chunk === null) return;
    this.#wanted = false;
    this.#controller.enqueue(owned(chunk));
  }

  #close(): void {
    const controller = this.#leave();
    if (controller === undefined) return;
    controller.close();
    // A reader that brought its own buffer waits for its return.
    controller.byobRequest?.respond(0);
  }

  #fail(): void {
    this.#leave()?.error(brokenOff(this.#req));
  }

  #leave(): ReadableByteStreamController | undefined {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#req
      .off("readable", this.#take)
      .off("end", this.#end)
      .off("error", this.#lost)
      .off("close", this.#lost);
    return controller;
  }
}

/** The body as a byte stream; errors when the client goes away in the middle of it. */
export function bodyStream(req: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new BodySource(req) as never);
}

/** The whole body; rejects when the client goes away in the middle of it. */
export function collectBody(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    if (req.readableEnded) resolve(Buffer.alloc(0));
    else if (req.destroyed) reject(brokenOff(req));
    else {
      req.on("data", (chunk: Buffer) => chunks.push(chunk));
      req.once("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
      req.once("error", reject);
      req.once("close", () => reject(brokenOff(req)));
    }
  });
}
