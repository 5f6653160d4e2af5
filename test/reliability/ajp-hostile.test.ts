/**
 * AJP peers that send what no web server would: wrong prefix bytes, refusals and how they end, attributes that claim
 * something (reliability, B-62 to B-73). Each is followed by a good request.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { echo, echoed, hello } from "../support/behaviour.ts";
import { type Peer, type Stage, transcript } from "../support/transcript.ts";
import {
  ajpString,
  bodyPacket,
  CPING,
  forwardRequest,
  GET_BODY_CHUNK,
  packet,
} from "../support/transcript-frames.ts";

const protocol = "ajp";

async function servesNext({ connect }: Stage): Promise<void> {
  const other = await connect();
  other.sends(CPING);
  expect(await other.reads(5)).toBe("4142000109");
  other.sends(forwardRequest());
  expect(await other.answer()).toMatchObject({ status: 200, reuse: true });
}

/** A whole refusal: one head, one end without reuse, and FIN. */
async function expectsRefusal(peer: Peer, status: number): Promise<void> {
  const kinds: number[] = [];
  let payload: Buffer = Buffer.alloc(0);
  while (kinds.at(-1) !== 5) {
    payload = await peer.readPacket();
    kinds.push(payload[0]!);
    if (payload[0] === 4) expect(payload.readUInt16BE(1)).toBe(status);
  }
  expect(kinds).toEqual([4, 3, 5]);
  expect(payload.toString("hex")).toBe("0500");
  await peer.expectsClose();
}

describe("a packet of the other direction", () => {
  for (const [what, payload] of [
    ["Send Body Chunk", Buffer.from("0300026869 00".replace(" ", ""), "hex")],
    ["Send Headers", Buffer.concat([Buffer.of(4, 0, 200), ajpString("OK"), Buffer.of(0, 0)])],
    ["End Response", Buffer.of(5, 1)],
    ["Get Body Chunk", Buffer.of(6, 0x1f, 0xfa)],
    ["CPong", Buffer.of(9)],
  ] as const) {
    transcript(
      `${what} closes the connection without a word (B-62)`,
      { protocol, handler: hello },
      async (stage) => {
        stage.peer.sends(packet(payload));
        await stage.peer.expectsClose();
        await servesNext(stage);
      },
    );
  }
});

describe("a good request whose prefix byte is", () => {
  const good = forwardRequest();
  for (const prefix of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x39]) {
    const isPing = prefix === 10;
    const what = prefix === 2 ? "served" : isPing ? "a CPING, or a close" : "a close";
    const also = prefix === 7 || prefix === 8 || isPing ? ", B-63, A-15" : "";
    transcript(
      `${prefix} is ${what} (B-64${also})`,
      { protocol, handler: hello },
      async (stage) => {
        const bytes = Buffer.from(good);
        bytes[4] = prefix;
        stage.peer.sends(bytes);
        if (prefix === 2) {
          expect(await stage.peer.answer()).toMatchObject({ status: 200 });
        } else if (isPing) {
          // Bytes behind a CPING mean nothing; whether it is answered is a matter of taste.
          stage.peer.end();
          expect(["", "4142000109"]).toContain((await stage.peer.readToEnd()).toString("hex"));
        } else {
          await stage.peer.expectsClose();
        }
        await servesNext(stage);
      },
    );
  }
});

describe("a refusal", () => {
  const post = (...headers: [string, string][]): Buffer =>
    forwardRequest({ method: 4, headers: [["Host", "a.test"], ...headers] });
  const refusals: readonly (readonly [what: string, status: number, bytes: Buffer[]])[] = [
    [
      "too many headers",
      431,
      [forwardRequest({ headers: Array.from({ length: 60 }, (_, i) => [`X-${i}`, "1"] as const) })],
    ],
    ["a long name", 431, [forwardRequest({ headers: { ["N".repeat(200)]: "1" } })]],
    ["a long value", 431, [forwardRequest({ headers: { "X-A": "v".repeat(400) } })]],
    [
      "a large declared body",
      413,
      [post(["Content-Length", "100000"]), bodyPacket("x".repeat(5_000))],
    ],
    ["CR LF in a header", 400, [forwardRequest({ headers: { "X-A": "1\r\nX-B: 2" } })]],
    ["an attribute that is not allowed", 403, [forwardRequest({ attributes: { x: "1" } })]],
    ["a packet larger than agreed", 400, [Buffer.of(0x12, 0x34, 0xff, 0xff)]],
    [
      "33 NUL bytes as a cookie (B-66)",
      400,
      [forwardRequest({ headers: { Cookie: "\0".repeat(33) } })],
    ],
    [
      "no host but two of them",
      400,
      [
        forwardRequest({
          headers: [
            ["Host", "a"],
            ["Host", "b"],
          ],
        }),
      ],
    ],
    ["method code 0 (A-11)", 400, [forwardRequest({ method: 0 })]],
    ["method code 28 (A-11)", 400, [forwardRequest({ method: 28 })]],
    [
      "method code 254, and a method as attribute (A-11)",
      400,
      [forwardRequest({ method: 254, storedMethod: "GET" })],
    ],
    ["method code 255 without a method (A-11)", 400, [forwardRequest({ method: 255 })]],
    ["a length of 19 digits (A-11)", 400, [post(["Content-Length", "9223372036854775808"])]],
    ["a length of 25 digits (A-11)", 400, [post(["Content-Length", "1".repeat(25)])]],
    ["a body that ends early (A-11)", 400, [post(["Content-Length", "5"]), packet("")]],
    ["two content lengths", 400, [post(["Content-Length", "5"], ["Content-Length", "5"])]],
  ];
  for (const [what, status, bytes] of refusals) {
    transcript(
      `for ${what}: ${status}, one head, one end without reuse, FIN; the next one is served (A-6, A-7, D-6)`,
      {
        protocol,
        handler: echo,
        limits: { fieldCount: 50, nameBytes: 100, valueBytes: 300, bodyBytes: 50_000 },
      },
      async (stage) => {
        stage.peer.sends(...bytes);
        await expectsRefusal(stage.peer, status);
        await servesNext(stage);
      },
    );
  }

  transcript(
    "for a body of 100,000 bytes of which 26 came: asked once, then 408 without reuse (B-67, A-10)",
    { protocol, handler: echo, timeouts: { body: 300 } },
    async ({ peer }) => {
      peer.sends(post(["Content-Length", "100000"]), bodyPacket("abcdefghijklmnopqrstuvwxyz"));
      expect(await peer.reads(7)).toBe(GET_BODY_CHUNK.toString("hex"));
      await expectsRefusal(peer, 408);
    },
  );

  for (const method of [2, 4]) {
    transcript(
      `is not needed for content-length 0 with method ${method}: nobody waits (A-10)`,
      { protocol, handler: echo },
      async ({ peer }) => {
        peer.sends(forwardRequest({ method, headers: { "Content-Length": "0" } }));
        expect(await peer.answer()).toMatchObject({ status: 200, reuse: true, asked: 0 });
      },
    );
  }
});

describe("a request that claims something", () => {
  for (const [code, method] of [
    [2, "GET"],
    [3, "HEAD"],
    [21, "SEARCH"],
  ] as const) {
    let seen = "";
    transcript(
      `by its method ${method}: the handler gets that method (B-65)`,
      {
        protocol,
        handler: (req, res) => {
          seen = `${req.method} ${req.url}`;
          res.end();
        },
      },
      async ({ peer }) => {
        seen = "";
        peer.sends(forwardRequest({ method: code, uri: "/protected/x" }));
        expect(await peer.answer()).toMatchObject({ status: 200 });
        expect(seen).toBe(`${method} /protected/x`);
      },
    );
  }

  /** A request with one more coded attribute. */
  const withAttribute = (code: number, value: string): Buffer => {
    const bytes = forwardRequest();
    return packet(
      Buffer.concat([bytes.subarray(4, -1), Buffer.of(code), ajpString(value), Buffer.of(0xff)]),
    );
  };
  const facts: NodeHandler = (req, res) => {
    const { scriptName, pathInfo, remoteUser, authType } = req.gateway;
    const { remoteAddress } = req.socket;
    const { url } = req;
    res.end(JSON.stringify({ scriptName, pathInfo, url, remoteUser, authType, remoteAddress }));
  };
  const usual = { scriptName: "", pathInfo: "/", url: "/", remoteAddress: "192.0.2.7" };

  for (const value of ["/WEB-INF/web.xml", "..", "", "/x\r\ny"]) {
    transcript(
      `by servlet_path ${JSON.stringify(value)}: it selects nothing (B-71)`,
      { protocol, handler: facts },
      async ({ peer }) => {
        peer.sends(withAttribute(2, value));
        expect(JSON.parse((await peer.answer()).body)).toEqual(usual);
      },
    );
  }

  for (const type of ["null", ""]) {
    transcript(
      `by auth_type ${JSON.stringify(type)} and headers of loopback: nobody is authenticated (B-72)`,
      { protocol, handler: facts },
      async ({ peer }) => {
        const headers = {
          "X-Forwarded-For": "127.0.0.1",
          "X-Real-IP": "127.0.0.1",
          "X-Client-IP": "127.0.0.1",
          "Remote-User": "admin",
        };
        const bytes = forwardRequest({ headers });
        const more = [Buffer.of(4), ajpString(type), Buffer.of(0xff)];
        peer.sends(packet(Buffer.concat([bytes.subarray(4, -1), ...more])));
        const seen = JSON.parse((await peer.answer()).body);
        expect(seen.remoteUser).toBeUndefined();
        expect(seen.remoteAddress).toBe("192.0.2.7");
      },
    );
  }

  for (const name of ["PATH", "LD_PRELOAD", "NODE_OPTIONS", "HTTP_PROXY"]) {
    transcript(
      `by an attribute ${name}: 403, or where it is allowed an attribute and nothing else (B-73, H-6)`,
      { protocol, handler: echo, ajp: { attributes: /PATH|LD_PRELOAD/ } },
      async ({ peer }) => {
        const before = JSON.stringify(process.env);
        peer.sends(forwardRequest({ attributes: { [name]: "evil" } }));
        if (name === "PATH" || name === "LD_PRELOAD") {
          expect(echoed(await peer.answer()).attributes).toEqual({ [name]: "evil" });
        } else {
          await expectsRefusal(peer, 403);
        }
        expect(JSON.stringify(process.env)).toBe(before);
      },
    );
  }
});
