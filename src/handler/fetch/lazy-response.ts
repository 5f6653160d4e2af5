/**
 * What `new Response(…)` of an application makes where that is plain: text, bytes or nothing, with plain fields. Status,
 * fields and body are kept as they are, and leave so; a native Response is made of them when something else is wanted.
 * It judges nothing: whatever native code might refuse or change goes to the native constructor. Fetch standard, Response.
 */
import type { AnswerSink } from "./answer.ts";
import { isSound, lowerName } from "./head.ts";
import { nativeResponse } from "./native-response.ts";

type Content = string | Uint8Array | null;
type Init = Readonly<Record<"status" | "statusText" | "headers", unknown>>;

const NO_INIT = {} as Init;

/** Names in lower case and values in turn; undefined where native code shall judge them. */
function fieldsOf(headers: unknown): string[] | undefined {
  const fields: string[] = [];
  if (headers === undefined) return fields;
  if (typeof headers !== "object" || headers === null) return undefined;
  if (headers instanceof Headers) {
    for (const [name, value] of headers) fields.push(name, value);
    return fields;
  }
  if (Symbol.iterator in headers) return undefined;
  // Own and inherited ones are told apart by native code.
  const prototype: unknown = Object.getPrototypeOf(headers);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  for (const given in headers) {
    const name = lowerName(given);
    const value = (headers as Record<string, unknown>)[given];
    if (name === undefined || typeof value !== "string" || !isPlain(value)) return undefined;
    // Values of names that differ by case alone are joined.
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return undefined;
    fields.push(name, value);
  }
  return fields;
}

/** Would native code leave this value as it is? */
function isPlain(value: string): boolean {
  if (value === "") return true;
  return value.charCodeAt(0) > 32 && value.charCodeAt(value.length - 1) > 32 && isSound(value);
}

/** Text and bytes that are nobody else's; undefined for bodies of other kinds. */
function contentOf(body: unknown): Content | undefined {
  if (typeof body === "string") return body;
  if (body === null || body === undefined) return null;
  if (!(body instanceof Uint8Array) || !(body.buffer instanceof ArrayBuffer)) return undefined;
  // Copied, as native code does: a caller may use its memory again before the answer leaves.
  return Buffer.from(body);
}

function hasType(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === "content-type") return true;
  return false;
}

/** A Response over what it was made of; its prototype chain is joined to the native one in native.ts. */
export class LazyResponse {
  readonly #status: number;
  readonly #statusText: string;
  readonly #content: Content;
  readonly #fields: string[];
  #isUsed = false;
  #headers: Headers | undefined;
  #native: Response | undefined;

  /** @param fields names in lower case and values in turn; kept, not copied */
  private constructor(status: number, statusText: string, content: Content, fields: string[]) {
    this.#status = status;
    this.#statusText = statusText;
    this.#content = content;
    this.#fields = fields;
  }

  /**
   * Makes one, as the constructor of native ones does.
   *
   * @param type Content-Type of a text that brings none along
   * @returns undefined where only a native one will do, be it to throw
   */
  static make(body: unknown, init: unknown, type: string): LazyResponse | undefined {
    const content = contentOf(body);
    if (content === undefined) return undefined;
    if (init !== undefined && (typeof init !== "object" || init === null)) return undefined;
    const { status = 200, statusText = "", headers } = (init as Init | undefined) ?? NO_INIT;
    if (typeof status !== "number" || (status | 0) !== status) return undefined;
    if (status < 200 || status > 599) return undefined;
    const isBodiless = status === 204 || status === 205 || status === 304;
    if (isBodiless && content !== null) return undefined;
    if (typeof statusText !== "string" || !isSound(statusText)) return undefined;
    const fields = fieldsOf(headers);
    if (fields === undefined) return undefined;
    if (typeof content === "string" && !hasType(fields)) fields.push("content-type", type);
    return new LazyResponse(status, statusText, content, fields);
  }

  /** Is it one of these? */
  static is(value: object): value is LazyResponse {
    return #content in value;
  }

  /**
   * Sends it as it is.
   *
   * @returns false where that cannot be done any more: its body was touched or used
   */
  sendTo(sink: AnswerSink): boolean {
    if (this.#native !== undefined || this.#isUsed) return false;
    const content = this.#content;
    this.#isUsed = content !== null;
    const headers = this.#headers === undefined ? this.#fields : [...this.#headers].flat();
    const head = { status: this.#status, statusText: this.#statusText, headers };
    sink.whole(head, content ?? undefined);
    return true;
  }

  get type(): "default" {
    return "default";
  }
  get url(): "" {
    return "";
  }
  get redirected(): false {
    return false;
  }
  get status(): number {
    return this.#status;
  }
  get statusText(): string {
    return this.#statusText;
  }
  get ok(): boolean {
    return this.#status < 300;
  }

  get headers(): Headers {
    this.#headers ??= this.#native?.headers ?? this.#newHeaders();
    return this.#headers;
  }

  #newHeaders(): Headers {
    const headers = new Headers();
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i += 2) headers.append(fields[i]!, fields[i + 1]!);
    return headers;
  }

  get body(): Response["body"] {
    return this.#content === null ? null : this.native().body;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? this.#isUsed;
  }

  clone(): Response {
    if (this.#native === undefined && !this.#isUsed) {
      const fields = this.#headers === undefined ? this.#fields.slice() : [...this.#headers].flat();
      const clone = new LazyResponse(this.#status, this.#statusText, this.#content, fields);
      return clone as unknown as Response;
    }
    const { body, status, statusText } = this.native().clone();
    // The fields are those that were changed here.
    const Native = nativeResponse();
    return new Native(body, { status, statusText, headers: this.headers });
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.native().arrayBuffer();
  }
  blob(): Promise<Blob> {
    return this.native().blob();
  }
  formData(): Promise<FormData> {
    return this.native().formData();
  }
  json(): Promise<unknown> {
    return this.native().json();
  }
  text(): Promise<string> {
    return this.native().text();
  }

  /** The native Response that stands for this one; its body is this one's from then on. */
  native(): Response {
    if (this.#native === undefined) {
      const Native = nativeResponse();
      const native = new Native(this.#content as Uint8Array<ArrayBuffer> | string | null, {
        status: this.#status,
        statusText: this.#statusText,
        headers: this.headers,
      });
      if (this.#isUsed) native.body?.cancel().catch(() => undefined);
      this.#native = native;
    }
    return this.#native;
  }
}
