/**
 * A front server, a protocol, an address and a configuration → the same list of tests for each such cell.
 *
 * What differs between servers is said by traits, one for each habit, with the server's own answer where it
 * does not do what is asked. Starts the gateway of its cell; the front server runs for the whole file.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unlessObstacle } from "../support/front/front-server.ts";
import {
  configurationObstacle,
  Gateway,
  isFull,
  isMiddle,
  startLineOf,
  unexpectedLines,
} from "../support/front/gateway.ts";
import {
  ask,
  askRaw,
  headerLines,
  openAnswer,
  openRequest,
  type Question,
} from "../support/front/http-client.ts";
import { payloadSha256 } from "../support/front/payload.mjs";
import { until } from "../support/front/ports.ts";
import type { Cell } from "./cell.ts";

const KIB = 1024;
const MIB = 1_048_576;

/** Bodies of acceptance 5. */
const sizesOf = ({ configuration }: Cell): readonly number[] => {
  const largest = isFull ? 100 : isMiddle(configuration) ? 2 : 10;
  return [0, 1, 8 * KIB, MIB, largest * MIB];
};

/** Lines that the thrown errors of app.mjs leave on the gateway's stderr. */
const PROVOKED: readonly RegExp[] = [/conformance: (thrown|rejected) on purpose/, /^\s+at /];

const isOurs = (line: string): boolean => line.startsWith("postern");

let serial = 0;

/** Declares the tests of one cell. */
export function describeCell(cell: Cell): void {
  const obstacle = cell.obstacle ?? configurationObstacle(cell.configuration);
  if (obstacle !== undefined) {
    test(`${cell.title} (${obstacle})`, (context) => unlessObstacle(context, obstacle));
    return;
  }
  describe(cell.title, () => {
    let gateway: Gateway | undefined;
    const at = (path: string): Question => ({ port: cell.port(), path });
    beforeAll(async () => {
      if (cell.gateway === undefined) return;
      const { protocol, configuration } = cell;
      const state = cell.state();
      gateway = await Gateway.start({ protocol, configuration, state, ...cell.gateway() });
    });
    afterAll(async () => {
      await gateway?.stop();
    });
    describeRequests(cell, at);
    describeBodies(cell, at);
    describeResponses(cell, at);
    describeStreams(cell, at);
    test("afterwards the gateway lives, and neither stderr nor the server's log complains", async () => {
      const front = cell.front();
      if (gateway !== undefined) {
        expect(gateway.child.isAlive).toBe(true);
        expect(gateway.unexpectedLines(PROVOKED)).toEqual([]);
        expect(await gateway.stop()).toBe("0");
      }
      expect(front.child.isAlive).toBe(true);
      expect(front.complaints([...PROVOKED, ...(cell.traits.expectedLog ?? [])])).toEqual([]);
      // A gateway that the server started writes to the server's log.
      const lines = front.logLines().filter(isOurs);
      expect(unexpectedLines(lines, PROVOKED)).toEqual([]);
      const start = startLineOf(cell.configuration);
      if (gateway === undefined) expect(lines.some((line) => start.test(line))).toBe(true);
    });
  });
}

function describeRequests(cell: Cell, at: (path: string) => Question): void {
  const target = "/a%20b/%E3%81%82/c%2Bd?q=1&r=%C3%A9";

  test("GET arrives with query, percent-encoding and UTF-8", async () => {
    const answer = await ask({ ...at(target), headers: ["X-Kind", "plain"] });
    expect(answer.status).toBe(200);
    const seen = JSON.parse(answer.text);
    expect(seen.method).toBe("GET");
    expect(seen.url).toBe(cell.traits.url ?? target);
    expect(seen.headers["x-kind"]).toBe("plain");
    expect(seen.gateway.protocol).toBe(cell.protocol);
    expect(seen.remoteAddress).toBe("127.0.0.1");
    expect(seen.headers["content-length"] ?? "0").toBe("0");
  });

  test("repeated request headers and cookies arrive as node:http joins them (B-10, H-9)", async () => {
    const headers = ["X-Repeat", "one", "X-Repeat", "two", "Cookie", "a=1", "Cookie", "b=2"];
    const seen = JSON.parse((await ask({ ...at("/repeat"), headers })).text);
    expect(seen.headers["x-repeat"]).toBe("one, two");
    expect(seen.headers["cookie"]).toBe(cell.traits.cookie);
  });

  test("Proxy, and fields about the connection, never reach the application (H-1, D-5)", async () => {
    const headers = ["Proxy", "http://evil.invalid/", "TE", "trailers"];
    const seen = JSON.parse((await ask({ ...at("/hidden"), headers })).text);
    for (const name of ["proxy", "connection", "te", "keep-alive", "transfer-encoding"]) {
      expect(seen.headers).not.toHaveProperty(name);
    }
  });
}

function describeBodies(cell: Cell, at: (path: string) => Question): void {
  const sizes = sizesOf(cell);
  test.each(sizes)("POST of %d bytes by length arrives whole (B-6)", async (bytes) => {
    const answer = await ask({ ...at("/_upload"), upload: { bytes } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ bytes, sha256: payloadSha256(bytes) });
  });

  test.each(sizes)(
    "POST of %d bytes chunked arrives whole, or gets the server's own answer (B-6)",
    async (bytes) => {
      const { chunked } = cell.traits;
      const expectsRefusal = chunked !== "forwarded" && bytes >= chunked.overBytes;
      const answer = await ask({
        ...at("/_upload"),
        upload: { bytes, chunked: true, expectsRefusal },
      });
      if (expectsRefusal) {
        expect(answer.status).toBe(chunked.status);
        return;
      }
      expect(answer.status).toBe(200);
      const { contentLength, transferEncoding, ...body } = JSON.parse(answer.text);
      expect(body).toEqual({ bytes, sha256: payloadSha256(bytes) });
      // One of them, where there is a body: parsers look for either (docs/decisions/unknown-length.md).
      const said = [contentLength, transferEncoding];
      const ways = [
        [String(bytes), null],
        [null, "chunked"],
      ];
      expect(bytes === 0 ? [...ways, [null, null]] : ways).toContainEqual(said);
    },
  );

  test.each(sizes)(
    "an answer of %d bytes arrives whole, with and without Content-Length (B-18, B-85)",
    async (bytes) => {
      for (const length of [1, 0]) {
        const answer = await ask(at(`/_download?bytes=${bytes}&length=${length}`));
        expect(answer.status).toBe(200);
        expect(answer.bytes).toBe(bytes);
        expect(answer.sha256).toBe(answer.headers["x-sha256"]);
      }
    },
  );
}

function describeResponses(cell: Cell, at: (path: string) => Question): void {
  const raw = (method: string, path: string, more = "") =>
    askRaw(
      cell.port(),
      `${method} ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${more}\r\n`,
    );

  test("HEAD gets the head and not one byte of body (B-3)", async () => {
    const answer = await raw("HEAD", "/_page");
    expect(answer.status).toBe(200);
    expect(answer.head).toContain('etag: "conformance"');
    expect(answer.body.length).toBe(0);
    expect((await ask(at("/_page"))).text).toBe("hello world");
  });

  test.each([204, 304])("%d has no body", async (code) => {
    const answer = await raw("GET", `/_status?code=${code}`);
    expect(answer.status).toBe(code);
    expect(answer.body.length).toBe(0);
    expect(answer.head).not.toMatch(/^transfer-encoding/m);
  });

  test("repeated response fields and cookies arrive, each cookie on its line", async () => {
    const answer = await ask(at("/_fields"));
    expect(answer.text).toBe("fields");
    expect(headerLines(answer, "set-cookie")).toEqual(["first=1; Path=/", "second=2; Path=/"]);
    const repeated = cell.traits.repeatedResponse === "lines" ? ["one", "two"] : ["one, two"];
    expect(headerLines(answer, "x-repeat")).toEqual(repeated);
    expect(answer.headers["x-latin"]).toBe("caf\u00e9");
  });

  test.each([
    [303, "http://example.invalid/next"],
    [303, "/next"],
    [201, "/made/1"],
  ])("%d keeps its status beside Location: %s (R-3)", async (code, location) => {
    const answer = await ask(at(`/_status?code=${code}&location=${encodeURIComponent(location)}`));
    expect(answer.status).toBe(code);
    expect(answer.headers["location"]?.endsWith(location)).toBe(true);
    expect(answer.text).toBe(`status ${code}`);
  });

  test.each(["throw", "reject"])(
    "500 when a handler fails (%s), and the next request is served",
    async (way) => {
      expect((await ask(at(`/_${way}`))).status).toBe(500);
      expect((await ask(at("/_page"))).text).toBe("hello world");
    },
  );

  if (cell.protocol !== "fastcgi") return;
  test("text on the error stream does not harm the answer", async () => {
    const answer = await ask(at("/_stderr"));
    expect(answer.status).toBe(200);
    expect(answer.text).toBe("written");
    if (!cell.traits.stderrLogged) return;
    const logged = (): boolean =>
      cell
        .front()
        .logLines()
        .some((line) => line.includes("conformance: a line on the error stream"));
    await until("the server logs the text of the error stream", logged, 3_000);
  });
}

function describeStreams(cell: Cell, at: (path: string) => Question): void {
  const facts = (id: string) => {
    const path = join(cell.state(), `${id}.json`);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  };
  const gone = (id: string): boolean => {
    const { requestClosed, responseClosed } = facts(id);
    return requestClosed === true && responseClosed === true;
  };
  const fresh = (): string => `${process.pid}-${++serial}`;

  test("a stream is seen chunk by chunk, each before the next is written (B-8)", async () => {
    const id = fresh();
    const { request, response } = await openAnswer(at(`/_stream?id=${id}&count=3`));
    response.setEncoding("utf8");
    let text = "";
    response.on("data", (chunk: string) => {
      text += chunk;
    });
    for (let index = 0; index < 3; index += 1) {
      await until(`chunk ${index} at the client`, () => text.includes(`chunk ${index}\n`), 5_000);
      expect(text).not.toContain(`chunk ${index + 1}`);
      writeFileSync(join(cell.state(), `${id}.seen.${index}`), "");
    }
    await until("the end of the stream", () => response.readableEnded);
    expect(text).toBe("chunk 0\nchunk 1\nchunk 2\nend\n");
    request.destroy();
  });

  test("a handler that streams sees that its client is gone (X-9)", async () => {
    const id = fresh();
    const { request, response } = await openAnswer(at(`/_pour?id=${id}`));
    response.on("error", () => undefined);
    await until("the first bytes", () => response.read() !== null);
    request.destroy();
    await until("the handler sees the abort", () => gone(id));
    expect(facts(id)).toMatchObject({ aborted: true, finished: false });
  });

  if (cell.traits.abortWhileWaiting === "never") return;
  test("a handler that waits sees that its client is gone", async () => {
    const id = fresh();
    const upload = { bytes: 10 * MIB };
    const isUploading = cell.traits.abortWhileWaiting === "while uploading";
    const request = openRequest({ ...at(`/_wait?id=${id}`), ...(isUploading ? { upload } : {}) });
    await until("the handler begins", () => facts(id).begun === true);
    expect(facts(id).responseClosed ?? false).toBe(false);
    request.destroy();
    await until("the handler sees the abort", () => gone(id));
    expect(facts(id)).toMatchObject({ aborted: true, finished: false });
  });
}
