/**
 * What a lazy Request is made of: the one shape of a request's head, body and signal, whoever carries it.
 * A node request fits it here; a request without one is exchange-side.ts. It parses and reads nothing by itself.
 */
import { Readable } from "node:stream";
import type { GatewayRequest } from "../node/request.ts";
import { bodyStream, collectBody } from "./body.ts";

/** One request, as its lazy Request asks for it. */
export interface RequestSource {
  readonly method: string;
  /** Target: a path with query, or `*`. */
  readonly target: string;
  readonly host: string | undefined;
  readonly isEncrypted: boolean;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly signal: AbortSignal;
  /** Was some of the body read already, and not by a Request? */
  readonly isDisturbed: boolean;
  /** The body, as it comes; to be called once, and not beside {@link RequestSource.collect}. */
  stream(): ReadableStream<Uint8Array>;
  /** The whole body; rejects when the client goes away in the middle of it. */
  collect(): Promise<Buffer>;
}

/** Value of the host among names and values in turn. */
export function hostIn(rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === "host") return rawHeaders[i + 1];
  }
  return undefined;
}

/** A node request. */
export class NodeSource implements RequestSource {
  readonly #req: GatewayRequest;

  constructor(req: GatewayRequest) {
    this.#req = req;
  }

  get method(): string {
    return this.#req.method ?? "GET";
  }
  get target(): string {
    return this.#req.url ?? "/";
  }
  get host(): string | undefined {
    return this.#req.headers.host;
  }
  get isEncrypted(): boolean {
    return this.#req.gateway.tls !== undefined;
  }
  get rawHeaders(): readonly string[] {
    return this.#req.rawHeaders;
  }
  get signal(): AbortSignal {
    return this.#req.gateway.signal;
  }
  get isDisturbed(): boolean {
    return Readable.isDisturbed(this.#req);
  }

  stream(): ReadableStream<Uint8Array> {
    return bodyStream(this.#req);
  }

  collect(): Promise<Buffer> {
    return collectBody(this.#req);
  }
}
