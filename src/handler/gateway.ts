/**
 * What the front server says about a request beside HTTP: one typed object, `req.gateway`.
 * Everything here comes from the front server and nothing from a request header; nothing is interpreted further.
 * Values are latin1 strings, one character a byte, as node's header values are.
 */
import { Readable, Writable } from "node:stream";
import { fieldId } from "../http/field-names.ts";
import { headIdOf } from "../http/request-id.ts";
import type { ProtocolName, RoleName, TlsFacts } from "../http/head.ts";
import type { Carrier } from "./carrier.ts";

const REQUEST_ID = fieldId("HTTP_X_REQUEST_ID");

/** The gateway's facts of one request. */
export interface GatewayFacts {
  /** Protocol that this request came by. */
  readonly protocol: ProtocolName;
  /** FastCGI role; "responder" elsewhere. */
  readonly role: RoleName;
  /** Mount prefix, decoded, "" at the root; see docs/script-name.md. */
  readonly scriptName: string;
  /** Path below the mount prefix, decoded. */
  readonly pathInfo: string;
  /** Every variable the front server sent; null prototype. Never copy it into `process.env`. */
  readonly params: Readonly<Record<string, string>>;
  /** AJP request attributes that `ajp.attributes` allows; null prototype, empty elsewhere. */
  readonly attributes: Readonly<Record<string, string>>;
  /**
   * User that the front server authenticated; undefined when it did not, or is not believed (`trust.user`).
   * `Remote-User` headers never show here.
   */
  readonly remoteUser: string | undefined;
  /** `Basic`, `Digest` …, as the front server says. */
  readonly authType: string | undefined;
  /** TLS between client and front server; undefined without TLS, or when it is not believed (`trust.tls`). */
  readonly tls: TlsFacts | undefined;
  /** The front server's own address; "" and 0 over a unix socket. */
  readonly peer: { readonly address: string; readonly port: number };
  /** Writes to the front server's error log (FastCGI STDERR, at most `limits.stderrBytes`); dropped elsewhere. */
  readonly errors: Writable;
  /** The file of a Filter request (FastCGI §6.4); undefined for other roles. */
  readonly data: Readable | undefined;
  /**
   * Names the request in logs: the front server's `X-Request-Id`, or an id of this process's own where it sends none, or
   * one with other characters than letters, digits and `_.:+/=@-`.
   */
  readonly requestId: string;
  /** Did the request end before its time? */
  readonly aborted: boolean;
  /** Aborts when the request ends before its time; reason is an AbortError. */
  readonly signal: AbortSignal;
}

/** The facts of one request; costly parts are made when they are asked for. */
export class Gateway implements GatewayFacts {
  readonly #carrier: Carrier;
  #errors: Writable | undefined;
  #data: Readable | undefined;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  get protocol(): ProtocolName {
    return this.#carrier.protocol;
  }
  get role(): RoleName {
    return this.#carrier.role;
  }
  get scriptName(): string {
    return this.#carrier.head.scriptName;
  }
  get pathInfo(): string {
    return this.#carrier.head.pathInfo;
  }
  get params(): Readonly<Record<string, string>> {
    return this.#carrier.head.params;
  }
  get attributes(): Readonly<Record<string, string>> {
    return this.#carrier.head.attributes;
  }
  get remoteUser(): string | undefined {
    return this.#carrier.head.remoteUser || undefined;
  }
  get authType(): string | undefined {
    return this.#carrier.head.authType || undefined;
  }
  get tls(): TlsFacts | undefined {
    return this.#carrier.head.tls;
  }
  get requestId(): string {
    const { head } = this.#carrier;
    return headIdOf(head, head.givenId ? "" : head.find(REQUEST_ID));
  }
  get peer(): { readonly address: string; readonly port: number } {
    return { address: this.#carrier.peerAddress, port: this.#carrier.peerPort };
  }

  get errors(): Writable {
    this.#errors ??= new Writable({
      write: (chunk: Uint8Array, _encoding, done): void => {
        this.#carrier.stderr(chunk);
        done();
      },
    });
    return this.#errors;
  }

  get data(): Readable | undefined {
    if (this.#carrier.role !== "filter") return undefined;
    this.#data ??= new Readable({ read: (): void => this.#carrier.want() });
    return this.#data;
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Says that the request ended before its time. */
  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#data?.destroy();
  }
}
