/**
 * One outgoing connection as the sessions see it: bytes in, bytes out with back-pressure, one end.
 * It knows no protocol and tries nothing twice. A FIN and a reset are told apart, since SCGI lives by that.
 */
import { connect, type Socket } from "node:net";
import { ClientError } from "../errors.ts";
import type { ClientAddress } from "./session.ts";

/** Who is told what happens on a socket. */
export interface PeerEvents {
  /** Received bytes; the buffer is the receiver's. What it throws destroys the socket. */
  data(chunk: Buffer): void;
  /** Called once: undefined when the application ended the connection, else what broke it. */
  ended(error: Error | undefined): void;
}

/** The address in words, for messages. */
export function addressText(address: ClientAddress): string {
  return "socket" in address
    ? address.socket
    : `${address.host ?? "127.0.0.1"} port ${address.port}`;
}

/** What a connection's end means to those who wait on it. */
export function closedBy(error: Error | undefined, answered: boolean): Error {
  if (error !== undefined && !("syscall" in error)) return error;
  const options = error === undefined ? undefined : { cause: error };
  return new ClientError("ERR_CLIENT_CLOSED", "", answered, options);
}

/** A connected socket. */
export class PeerSocket {
  readonly #socket: Socket;
  #events: PeerEvents | undefined;
  #ended = false;
  #reason: Error | undefined;
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("drain", () => {
      for (const waiter of this.#waiting.splice(0)) waiter.resolve();
    });
    socket.on("end", () => {
      this.#end(undefined);
      // None of the protocols has anything to say to a peer that has finished.
      socket.destroy();
    });
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(undefined));
  }

  /**
   * Connects.
   *
   * @throws ClientError ERR_CLIENT_CONNECT with the system's error as cause; the signal's reason
   */
  static open(address: ClientAddress, signal?: AbortSignal): Promise<PeerSocket> {
    return new Promise((resolve, reject) => {
      const socket =
        "socket" in address
          ? connect({ path: address.socket })
          : connect({ host: address.host ?? "127.0.0.1", port: address.port, noDelay: true });
      const settle = (): void => {
        socket.off("connect", onConnect).off("error", onError);
        signal?.removeEventListener("abort", onAbort);
      };
      const onConnect = (): void => {
        settle();
        resolve(new PeerSocket(socket));
      };
      const onError = (cause: Error): void => {
        settle();
        reject(
          new ClientError("ERR_CLIENT_CONNECT", `(${addressText(address)})`, false, { cause }),
        );
      };
      const onAbort = (): void => {
        settle();
        // Nobody waits for it any more, yet a late error must not end the process.
        socket.on("error", () => undefined).destroy();
        reject(signal?.reason);
      };
      socket.once("connect", onConnect).once("error", onError);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Begins reading. Called once, right after opening. */
  listen(events: PeerEvents): void {
    this.#events = events;
    if (this.#ended) return queueMicrotask(() => events.ended(this.#reason));
    this.#socket.on("data", (chunk: Buffer) => {
      if (this.#ended) return;
      try {
        events.data(chunk);
      } catch (error) {
        this.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Is the connection over? */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Writes bytes in one go; they must not change afterwards.
   *
   * @returns a promise to wait for when the system takes no more for now; undefined when more may be written.
   *   It rejects when the connection ends first. After the end nothing is written and nothing is said
   */
  write(...chunks: readonly Uint8Array[]): Promise<void> | undefined {
    if (this.#ended || !this.#socket.writable) return undefined;
    this.#socket.cork();
    let ready = true;
    for (const chunk of chunks) ready = this.#socket.write(chunk);
    this.#socket.uncork();
    if (ready) return undefined;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume();
  }

  /** Closes once everything written has gone out; what still comes is dropped. */
  close(): void {
    this.#end(undefined);
    this.#socket.end();
    // Unread bytes would keep the socket open.
    this.#socket.resume();
    this.#socket.destroySoon();
  }

  /** Closes at once. */
  destroy(error: Error): void {
    this.#end(error);
    this.#socket.destroy();
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = error;
    const reason = error ?? new ClientError("ERR_CLIENT_CLOSED");
    for (const waiter of this.#waiting.splice(0)) waiter.reject(reason);
    this.#events?.ended(error);
  }
}
