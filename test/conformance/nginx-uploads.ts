/**
 * Uploads through nginx, buffered and not, as a gateway in the same process sees them (reliability B-6, B-14, B-16, B-104,
 * B-107). The sites are those of nginx-habits.test.ts.
 */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { ask, askRaw } from "../support/front/http-client.ts";
import type { Inside } from "../support/front/inside.ts";
import { payload } from "../support/front/payload.mjs";
import { until } from "../support/front/ports.ts";

/** A client's request, head and all, on a connection of its own. */
export const raw = (port: number, head: string, body = ""): ReturnType<typeof askRaw> =>
  askRaw(port, `${head}\r\nHost: h\r\nConnection: close\r\n${body}`);

/** Declares the tests of one cell. */
export function describeUploads(
  port: number,
  protocol: "fastcgi" | "scgi",
  main: () => Inside,
): void {
  test("no body, an empty one, one by length, one chunked: exactly their bytes (B-6, B-16)", async () => {
    const heads: readonly (readonly [head: string, body: string, wanted: string])[] = [
      ["", "\r\n", ""],
      ["Content-Length: 0\r\n", "\r\n", ""],
      ["Content-Length: 6\r\n", "\r\nfoobar", "foobar"],
      ["Transfer-Encoding: chunked\r\n", "\r\n6\r\nfoobar\r\n0\r\n\r\n", "foobar"],
      ["Transfer-Encoding: chunked\r\n", "\r\n0\r\n\r\n", ""],
    ];
    for (const path of ["/back", "/unbuffered"]) {
      for (const [head, body, wanted] of heads) {
        const answer = await raw(port, `POST ${path} HTTP/1.1`, head + body);
        expect(answer.status).toBe(200);
        expect(main().visit(path)).toMatchObject({ body: wanted, state: "ended" });
      }
    }
  });

  // Over SCGI nginx waits for the whole body, request buffering or not.
  test.skipIf(protocol === "scgi")(
    `an unbuffered upload arrives part by part, by length and chunked (B-14)${protocol === "scgi" ? " (nginx waits for all of it)" : ""}`,
    async () => {
      for (const chunked of [false, true]) {
        const seen = main().visits.length;
        const socket = connect(port, "127.0.0.1");
        let text = "";
        socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
        const length = chunked ? "Transfer-Encoding: chunked" : "Content-Length: 10";
        const part = (bytes: string): string =>
          chunked ? `${bytes.length.toString(16)}\r\n${bytes}\r\n` : bytes;
        socket.write(
          `POST /unbuffered HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${length}\r\n\r\n`,
        );
        socket.write(part("first"));
        await until("the first part", () => main().visits[seen]?.body === "first");
        expect(main().visits[seen]!.state).toBe("reading");
        socket.write(part(" last") + (chunked ? "0\r\n\r\n" : ""));
        await until("the answer", () => text.includes("HTTP/1.1 200"));
        expect(main().visits[seen]).toMatchObject({ body: "first last", state: "ended" });
        socket.destroy();
      }
    },
  );

  test("pipelined uploads of many sizes stay apart (B-14)", async () => {
    const sizes = [10, 1_280, 5_120, 6, 1_280, 5_120, 10, 6];
    const before = main().visits.length;
    const texts = sizes.map((size, i) => {
      const last = i === sizes.length - 1 ? "Connection: close\r\n" : "";
      const body = String(i).repeat(size);
      return `POST /unbuffered HTTP/1.1\r\nHost: h\r\n${last}Content-Length: ${size}\r\n\r\n${body}`;
    });
    await askRaw(port, texts.join(""));
    const bodies = main()
      .visits.slice(before)
      .map(({ body }) => body);
    expect(bodies).toEqual(sizes.map((size, i) => String(i).repeat(size)));
  });

  test("uploads of 1 KiB to 1 MiB come back identical, also with Expect (B-104)", async () => {
    for (const bytes of [1_024, 10_240, 102_400, 1_048_576]) {
      for (const headers of [[], ["Expect", "100-continue"]]) {
        const answer = await ask({ port, path: "/back", upload: { bytes }, headers });
        const sent = Buffer.concat([...payload(bytes)]).toString("latin1");
        expect(answer.bytes).toBe(bytes);
        expect(main().visit("/back")!.body === sent).toBe(true);
      }
    }
  });

  test("a byte behind the last chunk harms nobody (B-107)", async () => {
    const chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nX";
    const answer = await raw(port, "POST /back HTTP/1.1", chunked);
    expect([answer.status, main().visit("/back")!.body]).toEqual([200, "abc"]);
    expect((await ask({ port, path: "/count" })).status).toBe(200);
  });
}
