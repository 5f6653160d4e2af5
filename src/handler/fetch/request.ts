/**
 * A request's head and body → a Web `Request`, of which every part is made when it is first touched.
 * What it cannot answer by itself is answered by a native Request, made from it once: `clone()`, `new Request(it)`,
 * `fetch(it)`, its body's readers after the stream was touched. Fetch standard, Request class.
 */
import { Readable } from "node:stream";
import { LazyHeaders } from "./headers.ts";
import { nativeResponse } from "./native-response.ts";
import type { RequestSource } from "./source.ts";
import { requestUrl } from "./url.ts";

/** Methods whose case the standard repairs. */
const NORMALIZED = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);

type Body = ReadableStream<Uint8Array> | null;

/** As `formData()` and `blob()` of a native Request would find it. */
function wrapped(body: Uint8Array, type: string | null): Response {
  const Native = nativeResponse();
  return new Native(body, type === null ? {} : { headers: { "content-type": type } });
}

/** A Request over one source; its prototype chain is joined to the native one in native.ts. */
export class LazyRequest {
  readonly #source: RequestSource;
  #method: string | undefined;
  #url: string | undefined;
  #headers: LazyHeaders | undefined;
  #body: Body | undefined;
  #collected = false;
  #native: Request | undefined;

  /** @param source a method that the standard forbids makes a Request that cannot become a native one */
  constructor(source: RequestSource) {
    this.#source = source;
  }

  get method(): string {
    if (this.#method === undefined) {
      const { method } = this.#source;
      const upper = method.toUpperCase();
      this.#method = NORMALIZED.has(upper) ? upper : method;
    }
    return this.#method;
  }

  get url(): string {
    if (this.#url === undefined) {
      const { isEncrypted, host, target } = this.#source;
      this.#url = requestUrl(isEncrypted ? "https" : "http", host, target);
    }
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= this.#newHeaders();
    return this.#headers as unknown as Headers;
  }

  #newHeaders(): LazyHeaders {
    const headers = new LazyHeaders(this.#source.rawHeaders);
    if (this.#native !== undefined) headers.follow(this.#native.headers);
    return headers;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get body(): Body {
    if (this.#native !== undefined) return this.#native.body as Body;
    if (this.#body === undefined) {
      const bodiless = this.method === "GET" || this.method === "HEAD";
      // Read already: what native Requests show then is a stream that is locked and empty.
      if (this.#collected) return bodiless ? null : (this.native().body as Body);
      this.#body = bodiless ? null : this.#source.stream();
    }
    return this.#body;
  }

  get bodyUsed(): boolean {
    if (this.#native !== undefined) return this.#native.bodyUsed;
    if (this.#collected) return true;
    return (
      this.#body !== undefined && this.#body !== null && Readable.isDisturbed(this.#body as never)
    );
  }

  // What a request that came from outside has: no choice of a caller's.
  get destination(): "" {
    return "";
  }
  get referrer(): string {
    return "about:client";
  }
  get referrerPolicy(): "" {
    return "";
  }
  get mode(): "cors" {
    return "cors";
  }
  get credentials(): "same-origin" {
    return "same-origin";
  }
  get cache(): "default" {
    return "default";
  }
  get redirect(): "follow" {
    return "follow";
  }
  get integrity(): string {
    return "";
  }
  get keepalive(): boolean {
    return false;
  }
  get isReloadNavigation(): boolean {
    return false;
  }
  get isHistoryNavigation(): boolean {
    return false;
  }
  get duplex(): "half" {
    return "half";
  }

  /** The body, straight from node; undefined where a stream or a native Request has it. */
  #collect(): Promise<Buffer> | undefined {
    if (this.#native !== undefined || this.#body !== undefined || this.#collected) return undefined;
    if (this.method === "GET" || this.method === "HEAD") return Promise.resolve(Buffer.alloc(0));
    // Read from beneath: as good as used.
    if (this.#source.isDisturbed) return undefined;
    this.#collected = true;
    return this.#source.collect();
  }

  async text(): Promise<string> {
    const body = await (this.#collect() ?? this.native().text());
    if (typeof body === "string") return body;
    const text = body.toString();
    // "UTF-8 decode" takes a byte order mark off.
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const body = await (this.#collect() ?? this.native().arrayBuffer());
    if (body instanceof ArrayBuffer) return body;
    const { buffer, byteOffset, byteLength } = body;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
    return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer as ArrayBuffer;
  }

  async blob(): Promise<Blob> {
    const body = this.#collect();
    if (body === undefined) return this.native().blob();
    return wrapped(await body, this.headers.get("content-type")).blob();
  }

  async formData(): Promise<FormData> {
    const body = this.#collect();
    if (body === undefined) return this.native().formData();
    return wrapped(await body, this.headers.get("content-type")).formData();
  }

  clone(): Request {
    return this.native().clone();
  }

  /**
   * The native Request that stands for this one; its body is this one's from then on.
   *
   * @throws TypeError where the body is locked, as `new Request(it)` does
   */
  native(): Request {
    if (this.#native !== undefined) return this.#native;
    const used = this.#collected || this.bodyUsed || this.#source.isDisturbed;
    const headers = this.#headers ?? new LazyHeaders(this.#source.rawHeaders);
    const init: RequestInit & { duplex: "half" } = {
      method: this.method,
      headers: headers.native(),
      signal: this.signal,
      duplex: "half",
    };
    if (used) init.body = new ReadableStream();
    else if (this.body !== null) init.body = this.body as NonNullable<RequestInit["body"]>;
    const native = new Request(this.url, init);
    // The used one itself is refused by the constructor.
    if (used) native.body?.cancel().catch(() => undefined);
    this.#native = native;
    this.#headers?.follow(native.headers);
    return native;
  }
}
