/**
 * Fields and text of a response on their way to the encoder: what is checked, dropped and counted, and what of a text
 * becomes bytes. Where node:http has an opinion, it is asked in the same run.
 */
import { ServerResponse, validateHeaderValue } from "node:http";
import { describe, expect, test } from "vitest";
import { collectFields, FieldCollector } from "../../../src/handler/node/response-fields.ts";
import { pieceOf } from "../../../src/handler/node/text-piece.ts";
import { requestOf, settled } from "./stub-carrier.ts";

/** Name and code of what it throws; undefined when it does not. */
function thrownBy(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    const { name, message, code } = error as NodeJS.ErrnoException;
    return { name, message, code };
  }
}

function collected(headers: unknown): FieldCollector {
  const collector = new FieldCollector(false);
  collectFields(collector, headers, false);
  return collector;
}

describe("fields", () => {
  const VALUES = ["", "plain", "tab\there", "é", "\u0100", "a\nb", "a\rb", "\0", "\x7f", " "];
  const LONG = VALUES.map((value) => value + "x".repeat(60));
  test("values are refused as node refuses them, short or long, each time", () => {
    for (const value of [...VALUES, ...LONG, ...VALUES, undefined, null, 0, 1.5, true]) {
      const expected = thrownBy(() => validateHeaderValue("X-Name", value as string));
      expect([value, thrownBy(() => collected({ "X-Name": value }))]).toEqual([value, expected]);
    }
  });

  test("names that are no tokens are refused, the second time as the first", () => {
    for (const name of ["a b", "é", "a:", "a b", "a:"]) {
      const message = { statusCode: 200, req: {} };
      const nodes = (): void => void new ServerResponse(message as never).setHeader(name, "x");
      expect([name, thrownBy(() => collected({ [name]: "x" }))]).toEqual([name, thrownBy(nodes)]);
    }
  });

  test("names are known in any spelling, the first time and after", () => {
    for (let time = 0; time < 2; time++) {
      for (const name of ["Connection", "connection", "CONNECTION", "Variable-X", "STATUS"]) {
        expect([name, collected({ [name]: "x" }).fields]).toEqual([name, []]);
      }
      expect(collected({ "CONTENT-length": 12, A: ["b", "c"] })).toMatchObject({
        contentLength: 12,
        fields: ["CONTENT-length", "12", "A", "b", "A", "c"],
      });
    }
  });

  test("Variable- fields are an authorizer's (FastCGI §6.3)", () => {
    const collector = new FieldCollector(true);
    collectFields(collector, { "Variable-X": "y" }, false);
    expect(collector.fields).toEqual(["Variable-X", "y"]);
  });

  test("a Content-Length that is no number of bytes is none", () => {
    for (const value of ["", "1e3", "0x1", "-1", "+1", " 1", "1.5", "12a"]) {
      expect([value, collected({ "Content-Length": value }).contentLength]).toEqual([value, -1]);
    }
    expect(collected({ "Content-Length": "007" }).contentLength).toBe(7);
  });

  test("inherited properties are no fields", () => {
    expect(collected(Object.create({ inherited: "x" }, {})).fields).toEqual([]);
  });

  test("more names than are remembered are still checked and dropped", () => {
    for (let i = 0; i < 3_000; i++) collected({ [`X-${i}`]: "x" });
    expect(collected({ "X-Connection": "x", cOnnEction: "x" }).fields).toEqual([
      "X-Connection",
      "x",
    ]);
    expect(thrownBy(() => collected({ "new name": "x" }))).toMatchObject({
      code: "ERR_INVALID_HTTP_TOKEN",
    });
  });
});

describe("setHeader", () => {
  type Headers = Readonly<Record<string, unknown>>;
  const rawNamesOf = (res: ServerResponse): unknown =>
    (res as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames();
  /** What node's own response holds, or throws, after the same calls. */
  function nodes(calls: readonly (readonly [string, unknown])[]): unknown {
    const res = new ServerResponse({ method: "GET" } as never);
    const thrown = thrownBy(() => {
      for (const [name, value] of calls) res.setHeader(name, value as string);
    });
    return [thrown, res.getHeaders() as Headers, res.getHeaderNames(), rawNamesOf(res)];
  }
  function ours(calls: readonly (readonly [string, unknown])[]): unknown {
    const { res } = requestOf();
    const thrown = thrownBy(() => {
      for (const [name, value] of calls) expect(res.setHeader(name, value as string)).toBe(res);
    });
    return [thrown, res.getHeaders() as Headers, res.getHeaderNames(), rawNamesOf(res)];
  }

  test("does what node's does, with names it has had and names that are new", async () => {
    const NAMES = ["X-One", "x-one", "Set-Cookie", "Content-Length", "bad name", "", "__proto__"];
    const VALUES = ["plain", 7, ["a", "b"], "é", "a\nb", "x".repeat(50), "", undefined, null];
    for (let time = 0; time < 2; time++) {
      for (const name of NAMES) {
        for (const value of VALUES) {
          const calls = [["X-First", 1] as const, [name, value] as const];
          expect([name, value, ours(calls)]).toEqual([name, value, nodes(calls)]);
        }
      }
      // From here on they are known.
      const { res } = requestOf();
      for (const name of NAMES.slice(0, 4)) res.setHeader(name, "1");
      res.end();
      await settled();
    }
  });

  test("throws as node's once the head is made", () => {
    const { res } = requestOf();
    res.setHeader("X-One", "1");
    res.end();
    expect(thrownBy(() => res.setHeader("X-One", "1"))).toMatchObject({
      code: "ERR_HTTP_HEADERS_SENT",
    });
  });

  test("is the application's own where its prototype has one", () => {
    const { res } = requestOf();
    res.setHeader("X-One", "1");
    const seen: string[] = [];
    const prototype = Object.create(ServerResponse.prototype) as ServerResponse;
    prototype.setHeader = function (name, value): ServerResponse {
      seen.push(name);
      return ServerResponse.prototype.setHeader.call(this, name, value) as ServerResponse;
    };
    Object.setPrototypeOf(res, prototype);
    res.setHeader("X-One", "2");
    expect([seen, res.getHeader("x-one")]).toEqual([["X-One"], "2"]);
  });

  test("works on an object that inherits from the response", () => {
    const { res } = requestOf();
    const derived = Object.create(res) as ServerResponse;
    derived.setHeader("X-One", "1");
    expect(derived.getHeader("x-one")).toBe("1");
  });
});

describe("text", () => {
  test("is handed on where its characters are its bytes", () => {
    for (const encoding of [undefined, null, "utf8", "utf-8", "latin1", "binary"]) {
      expect(pieceOf("plain text\n", encoding)).toBe("plain text\n");
    }
  });

  test("becomes the bytes of its encoding otherwise", () => {
    const TEXTS = ["é", "\u0100", "😀", "\ud800", "a".repeat(9_000), "6162"];
    for (const encoding of ["utf8", "latin1", "hex", "base64", "ucs2", "ascii"] as const) {
      for (const text of TEXTS) {
        const piece = pieceOf(text, encoding);
        const bytes = typeof piece === "string" ? Buffer.from(piece, "latin1") : piece;
        expect(Buffer.compare(Buffer.from(text, encoding), bytes)).toBe(0);
      }
    }
  });
});

describe("a response", () => {
  test("tells its request of 'finish' before others hear of it, however it ends", async () => {
    const ends: ((res: ServerResponse) => unknown)[] = [
      (res) => res.end("text"),
      (res) => res.end(),
      (res) => res.end("text", () => {}),
      (res) => {
        res.write("text");
        res.end();
      },
      async (res) => {
        res.write("text");
        await settled();
        res.end();
      },
      (res) => {
        res.flushHeaders();
        res.end();
      },
      (res) => {
        res.socket?.on("close", () => {});
        res.end("text");
      },
    ];
    for (const end of ends) {
      const { carrier, side, res } = requestOf();
      const sockets: unknown[] = [];
      res.prependListener("finish", () => sockets.push(res.socket));
      await end(res);
      side.bodyEnd();
      await settled();
      expect([String(end), sockets, carrier.ends, res.closed]).toEqual([
        String(end),
        [null],
        1,
        true,
      ]);
    }
  });

  test("has hooks that cost no closure: they are the same of each", () => {
    const [one, other] = [requestOf().res, requestOf().res];
    expect(one.end === other.end).toBe(true);
  });
});
