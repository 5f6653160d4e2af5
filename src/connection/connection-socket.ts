/**
 * A connection of the native transport as listeners of "connection" are shown it.
 * It has the peer's address, can be destroyed and tells when the connection is gone; bytes never pass through it, and
 * what is written to it is dropped. Made only where somebody listens.
 */
import { Duplex } from "node:stream";
import type { Transport } from "./transport.ts";

/** Stands for one connection of a front server. */
export class ConnectionSocket extends Duplex {
  /** Undefined for a unix socket. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super({ allowHalfOpen: true });
    this.#transport = transport;
    this.remoteAddress = transport.remoteAddress || undefined;
    this.remotePort = transport.remotePort || undefined;
    // Whoever destroys it with an error means the connection, and not the process.
    this.on("error", () => undefined);
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  /** Closes the connection; a response that is cut off by it looks so. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#transport.destroy();
    done(error);
  }
}
