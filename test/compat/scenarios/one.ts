/**
 * Words that the scenario lists are written in: one question, its expected status, its name.
 * They ask nothing themselves.
 */
import type { Ask } from "../clients.ts";
import type { Scenario } from "../grid.ts";

type Headers = Readonly<Record<string, string>>;

/** A GET. */
export function get(url: string, headers: Headers = {}): Ask {
  return { url, headers };
}

/** A request with a body of a type. */
export function send(
  method: string,
  url: string,
  type: string,
  body: Ask["body"],
  more: Headers = {},
): Ask {
  const headers = { "content-type": type, ...more };
  return body === undefined ? { method, url, headers } : { method, url, headers, body };
}

/** A scenario of one question. */
export function one(name: string, status: number, ask: Ask, lastMark?: string): Scenario {
  return { name, asks: [ask], statuses: [status], ...(lastMark === undefined ? {} : { lastMark }) };
}

/** A scenario of several questions. */
export function several(
  name: string,
  statuses: readonly number[],
  ...asks: Scenario["asks"]
): Scenario {
  return { name, asks, statuses };
}

/** Pieces of a body whose length nobody knows, so many bytes in all. */
export function pieces(count: number, pieceBytes: number): () => AsyncIterable<Uint8Array> {
  return async function* () {
    for (let i = 0; i < count; i++)
      yield Buffer.alloc(pieceBytes, String.fromCharCode(97 + (i % 26)));
  };
}

/** One piece, and then nothing more until the client leaves. */
export function stuck(pieceBytes: number): () => AsyncIterable<Uint8Array> {
  return async function* () {
    yield Buffer.alloc(pieceBytes, "x");
    await new Promise((resolve) => setTimeout(resolve, 2_000).unref());
  };
}

const BOUNDARY = "----compat7MA4YWxk";

/** A multipart body with two fields and files of so many bytes. */
export function multipart(url: string, ...fileBytes: readonly number[]): Ask {
  const parts = [
    'name="title"\r\n\r\nA title',
    'name="many"\r\n\r\none',
    'name="many"\r\n\r\ntwo \u00e9',
    ...fileBytes.map(
      (bytes, i) =>
        `name="file"; filename="f${i}.bin"\r\nContent-Type: application/x-test\r\n\r\n${"0123456789".repeat(bytes / 10)}`,
    ),
  ].map((part) => `--${BOUNDARY}\r\nContent-Disposition: form-data; ${part}\r\n`);
  const body = `${parts.join("")}--${BOUNDARY}--\r\n`;
  return send("POST", url, `multipart/form-data; boundary=${BOUNDARY}`, body);
}
