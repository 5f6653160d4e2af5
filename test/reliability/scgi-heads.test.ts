/**
 * SCGI heads that are wrong, by what others got wrong (reliability S-1, S-2, S-3): each is a whole answer, then a close.
 */
import { describe, expect } from "vitest";
import { hello } from "../support/behaviour.ts";
import { transcript } from "../support/transcript.ts";
import { netstring, scgiRequest, USUAL } from "../support/transcript-frames.ts";

const protocol = "scgi";
let calls = 0;
const counted = {
  protocol,
  handler: (_req: unknown, res: { end(text: string): void }) => {
    calls++;
    res.end("hi");
  },
} as const;

/** A netstring of these bytes, whatever they are. */
const around = (block: string, comma = ","): string => `${block.length}:${block}${comma}`;
const usual = Object.entries(USUAL)
  .map(([name, value]) => `${name}\0${value}\0`)
  .join("");
const length = (value: string): string => `CONTENT_LENGTH\0${value}\0`;

describe("the length of the netstring", () => {
  const texts: readonly (readonly [what: string, bytes: string, status: number])[] = [
    ["empty", `:${length("0")}${usual},`, 400],
    ["with a plus sign", "+5:", 400],
    ["negative", "-1:", 400],
    ["with a blank", " 5:", 400],
    ["with a leading zero", "05:", 400],
    ["of 20 digits", "99999999999999999999:", 431],
    ["without a colon for 1 MiB", "1".repeat(1_048_576), 431],
    ["that is hexadecimal", "0x10:", 400],
    ["followed by a wrong comma", around(length("0") + usual, ";"), 400],
    [
      "one too short",
      around(length("0") + usual).replace(/^\d+/, (n) => String(Number(n) - 1)),
      400,
    ],
  ];
  for (const [what, bytes, status] of texts) {
    transcript(`${what}: ${status}, and no handler is called (S-2)`, counted, async ({ peer }) => {
      calls = 0;
      peer.sends(bytes);
      expect(await peer.answer()).toMatchObject({ status });
      await peer.expectsClose();
      expect(calls).toBe(0);
    });
  }
});

describe("headers", () => {
  const heads: readonly (readonly [what: string, block: string])[] = [
    ["without CONTENT_LENGTH", `SCGI\x001\0${usual}`],
    ["with an empty CONTENT_LENGTH", length("") + usual],
    ["with two CONTENT_LENGTH", length("0") + length("5") + usual],
    [
      "with two CONTENT_LENGTH of one value, differently written",
      length("5") + length("05") + usual,
    ],
    ["with a CONTENT_LENGTH of letters", length("five") + usual],
    ["with CONTENT_LENGTH 2^53", length("9007199254740992") + usual],
    ["with CONTENT_LENGTH 2^64", length("18446744073709551616") + usual],
    ["with CONTENT_LENGTH -1", length("-1") + usual],
    ["with a name and no value", `${length("0")}${usual}LAST\0`],
    ["with an empty name", `${length("0")}${usual}\0value\0`],
    ["that do not end in NUL", `${length("0")}${usual}LAST\0value`],
    ["with two methods", `${length("0")}${usual}REQUEST_METHOD\0PUT\0`],
    ["with two values of SCGI", `${length("0")}SCGI\x001\0SCGI\x002\0${usual}`],
    ["of no bytes", ""],
  ];
  for (const [what, block] of heads) {
    transcript(`${what}: 400, and no handler is called (S-3)`, counted, async ({ peer }) => {
      calls = 0;
      peer.sends(around(block));
      expect(await peer.answer()).toMatchObject({ status: 400, body: "400 Bad Request\n" });
      await peer.expectsClose();
      expect(calls).toBe(0);
    });
  }

  for (const [what, block] of [
    ["CONTENT_LENGTH is not first", `SCGI\x001\0${usual}${length("0")}`],
    ["there is no SCGI", length("0") + usual],
    ["CONTENT_LENGTH is there twice", length("0") + length("0") + usual],
  ] as const) {
    transcript(
      `are served where ${what}, and a 400 with scgi.strict (S-3)`,
      () => ({ protocol, handler: hello }),
      async ({ peer }) => {
        peer.sends(around(block));
        expect(await peer.answer()).toMatchObject({ status: 200, body: "hi" });
      },
    );
    transcript(
      `are a 400 with scgi.strict where ${what} (S-3)`,
      () => ({ protocol, handler: hello, scgi: { strict: true } }),
      async ({ peer }) => {
        peer.sends(around(block));
        expect(await peer.answer()).toMatchObject({ status: 400 });
      },
    );
  }
});

transcript(
  "every answer begins with Status, also after requests that failed halfway (S-1)",
  {
    protocol,
    handler: (req, res) => {
      if (req.url === "/throw") throw new Error("on purpose");
      res.statusCode = Number(req.url!.slice(1)) || 200;
      res.setHeader("Location", "/elsewhere");
      res.end("answered");
    },
  },
  async ({ connect }) => {
    const heads: string[] = [];
    const requests = ["/200", "/201", "/302", "/404", "/throw"].map((uri) =>
      scgiRequest({ params: { REQUEST_URI: uri } }),
    );
    requests.push(Buffer.from("x"), netstring({ CONTENT_LENGTH: "0", SCGI: "1" }));
    for (const bytes of [...requests, ...requests]) {
      const left = await connect();
      left.sends(scgiRequest().subarray(0, 30));
      left.socket.destroy();
      const peer = await connect();
      peer.sends(bytes);
      heads.push((await peer.readToEnd()).toString("latin1").split("\r\n")[0]!);
    }
    const expected = ["200 OK", "201 Created", "302 Found", "404 Not Found"];
    const lines = [...expected, "500 Internal Server Error", "400 Bad Request", "400 Bad Request"];
    expect(heads).toEqual([...lines, ...lines].map((line) => `Status: ${line}`));
  },
);
