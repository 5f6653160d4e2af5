/**
 * Where the answer of a fetch handler goes: what response.ts needs of it, and a node response that fits.
 * The one without a node response is exchange-side.ts. It holds no rule of what is sent.
 */
import type { ServerResponse } from "node:http";
import { failResponse } from "../node/request.ts";

/** Status, reason and fields of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** "" for the usual one. */
  readonly statusText: string;
  /** Names and values in turn; unchecked. */
  readonly headers: readonly string[];
}

/** What a client is told of a handler that failed. */
export const FAILURE_TEXT = "500 Internal Server Error\n";

/** The head to it. */
export function failureHead(): AnswerHead {
  return {
    status: 500,
    statusText: "",
    headers: ["Content-Type", "text/plain; charset=utf-8"],
  };
}

/** One answer on its way. Heads and pieces that cannot be sent throw, as node's do. */
export interface AnswerSink {
  /** Itself, or the node response that has taken its place. */
  readonly current: AnswerSink;
  readonly isHead: boolean;
  /** Is nobody there any more to take it? */
  readonly isGone: boolean;
  /** Has its head left? */
  readonly isBegun: boolean;
  /** Has the application ended it, here or by node's own objects? */
  readonly isEnded: boolean;
  /** The whole answer. A body goes with it only where the answer may have one. */
  whole(head: AnswerHead, body: string | Uint8Array | undefined): void;
  /** The first part of it. */
  begin(head: AnswerHead, chunks: readonly Uint8Array[]): void;
  write(chunk: Uint8Array): void;
  /** Room for more; undefined where there is some. Resolves as well when the client is gone. */
  room(): Promise<void> | undefined;
  end(): void;
  /** In place of what failed: a plain 500, or a broken end where the head has left. */
  fail(): void;
  /** Calls back once, when nobody takes the answer any more before it is sent. */
  onGone(callback: () => void): void;
}

/** A node response. */
export class NodeSink implements AnswerSink {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  get current(): this {
    return this;
  }
  get isHead(): boolean {
    return this.#res.req.method === "HEAD";
  }
  get isGone(): boolean {
    return this.#res.destroyed;
  }
  get isBegun(): boolean {
    return this.#res.headersSent;
  }
  get isEnded(): boolean {
    return this.#res.writableEnded;
  }

  #writeHead({ status, statusText, headers }: AnswerHead): void {
    const fields = headers as string[];
    if (statusText === "") this.#res.writeHead(status, fields);
    else this.#res.writeHead(status, statusText, fields);
  }

  whole(head: AnswerHead, body: string | Uint8Array | undefined): void {
    this.#writeHead(head);
    if (body === undefined) this.#res.end();
    else this.#res.end(body);
  }

  begin(head: AnswerHead, chunks: readonly Uint8Array[]): void {
    this.#writeHead(head);
    // Where the body takes its time, the head does not wait for it.
    if (chunks.length === 0) this.#res.flushHeaders();
    for (const chunk of chunks) this.#res.write(chunk);
  }

  write(chunk: Uint8Array): void {
    this.#res.write(chunk);
  }

  room(): Promise<void> | undefined {
    const res = this.#res;
    if (res.destroyed || !res.writableNeedDrain) return undefined;
    return new Promise((resolve) => {
      const go = (): void => {
        res.off("drain", go).off("close", go);
        resolve();
      };
      res.on("drain", go).on("close", go);
    });
  }

  end(): void {
    this.#res.end();
  }

  fail(): void {
    failResponse(this.#res);
  }

  onGone(callback: () => void): void {
    const res = this.#res;
    res.once("close", () => {
      if (!res.writableFinished) callback();
    });
  }
}
