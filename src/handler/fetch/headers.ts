/**
 * Node's `rawHeaders` → the `Headers` of a Web `Request`, of which nothing is made before it is asked for.
 * Looking one up reads the list; everything else is done by a native Headers, made once. Fetch standard, Headers class.
 */

/** A cookie parser takes no list apart that is joined by commas (RFC 9113 §8.2.3). */
const separatorOf = (name: string): string => (name === "cookie" ? "; " : ", ");

const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/;
const OUTER_SPACE = /^[\t\n\r ]+|[\t\n\r ]+$/g;

/** As the standard normalizes values: without space around them. */
function normalized(value: string): string {
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first > 32 && last > 32 ? value : value.replace(OUTER_SPACE, "");
}

/** Headers of a request; the prototype chain is joined to the native one in native.ts. */
export class LazyHeaders {
  readonly #raw: readonly string[];
  #native: Headers | undefined;

  /** @param raw names and values in turn; kept, not copied */
  constructor(raw: readonly string[]) {
    this.#raw = raw;
  }

  /** All of them as a native object, made once, which is asked from then on. */
  native(): Headers {
    if (this.#native !== undefined) return this.#native;
    const headers = new Headers();
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      const name = this.#raw[i]!;
      // Names that no Headers can hold cannot be asked for either.
      if (!TOKEN.test(name)) continue;
      if (name.length === 6 && name.toLowerCase() === "cookie" && headers.has(name)) {
        headers.set(name, `${headers.get(name)}; ${this.#raw[i + 1]}`);
      } else headers.append(name, this.#raw[i + 1]!);
    }
    this.#native = headers;
    return headers;
  }

  /** The native Request has them now: what changes here changes there. */
  follow(native: Headers): void {
    this.#native = native;
  }

  get(name: string): string | null {
    // Not a token: the native one words the error.
    if (this.#native !== undefined || !TOKEN.test(name)) return this.native().get(name);
    const wanted = String(name).toLowerCase();
    const raw = this.#raw;
    let found: string | null = null;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const each = raw[i]!;
      if (each.length !== wanted.length || each.toLowerCase() !== wanted) continue;
      const value = normalized(raw[i + 1]!);
      found = found === null ? value : found + separatorOf(wanted) + value;
    }
    return found;
  }

  has(name: string): boolean {
    if (this.#native !== undefined || !TOKEN.test(name)) return this.native().has(name);
    return this.get(name) !== null;
  }

  append(name: string, value: string): void {
    this.native().append(name, value);
  }
  set(name: string, value: string): void {
    this.native().set(name, value);
  }
  delete(name: string): void {
    this.native().delete(name);
  }
  getSetCookie(): string[] {
    return this.native().getSetCookie();
  }
  forEach(
    callback: (value: string, name: string, headers: Headers) => void,
    thisArgument?: unknown,
  ): void {
    const own = this as unknown as Headers;
    this.native().forEach((value, name) => {
      callback.call(thisArgument, value, name, own);
    });
  }
  keys(): ReturnType<Headers["keys"]> {
    return this.native().keys();
  }
  values(): ReturnType<Headers["values"]> {
    return this.native().values();
  }
  entries(): ReturnType<Headers["entries"]> {
    return this.native().entries();
  }
  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.native().entries();
  }
}
