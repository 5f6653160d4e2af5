/**
 * AJP 1.3 spoken to serve(): the reuse flag, probes, the secret, attributes, packet sizes.
 * Sections are those of the AJP reference; ids such as A-5 are the classes of mistakes that others made here.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import { echo, echoed, hello, pause } from "../../support/behaviour.ts";
import { SECRET, transcript } from "../../support/transcript.ts";
import { headerOf } from "../../support/transcript-answers.ts";
import {
  bodyPacket,
  CPING,
  CPONG,
  forwardRequest,
  packet,
} from "../../support/transcript-frames.ts";

const protocol = "ajp";

describe("a request", () => {
  transcript(
    "without a body is never asked for one, and its connection is used again",
    { protocol, handler: echo },
    async ({ peer }) => {
      for (const uri of ["/one", "/two"]) {
        peer.sends(forwardRequest({ uri, query: "a=1" }));
        const answer = await peer.answer();
        expect(answer).toMatchObject({ status: 200, reason: "OK", reuse: true, asked: 0 });
        expect(echoed(answer).url).toBe(`${uri}?a=1`);
      }
    },
  );

  transcript(
    "tells the facts of the client",
    {
      protocol,
      handler: (req, res) => {
        const { remoteUser, attributes, tls, params } = req.gateway;
        const { remoteAddress, remotePort, localAddress, localPort } = req.socket;
        res.end(
          JSON.stringify({
            remoteUser,
            attributes,
            tls: tls?.protocol,
            remoteAddress,
            remotePort,
            localAddress,
            localPort,
            uri: params["REQUEST_URI"],
          }),
        );
      },
    },
    async ({ peer }) => {
      const attributes = {
        AJP_REMOTE_PORT: "4711",
        AJP_LOCAL_ADDR: "192.0.2.1",
        AJP_SSL_PROTOCOL: "TLSv1.3",
        JK_LB_ACTIVATION: "ACT",
      };
      peer.sends(
        forwardRequest({ uri: "/a", tls: true, port: 8443, remoteUser: "ann", attributes }),
      );
      expect(JSON.parse((await peer.answer()).body)).toEqual({
        remoteUser: "ann",
        attributes,
        tls: "TLSv1.3",
        remoteAddress: "192.0.2.7",
        remotePort: 4711,
        localAddress: "192.0.2.1",
        localPort: 8443,
        uri: "/a",
      });
    },
  );
});

describe("CPING", () => {
  transcript(
    "is answered between requests, also at full load (A-15)",
    { protocol, handler: () => undefined, limits: { requests: 1 } },
    async ({ peer, connect }) => {
      peer.sends(CPING);
      expect(await peer.reads(5)).toBe(CPONG.toString("hex"));
      peer.sends(forwardRequest());
      await pause(20);
      const other = await connect();
      other.sends(CPING);
      expect(await other.reads(5)).toBe(CPONG.toString("hex"));
      other.sends(forwardRequest());
      const answer = await other.answer();
      expect(answer).toMatchObject({ status: 503, reuse: false });
      expect(headerOf(answer, "retry-after")).toBe("1");
    },
  );

  transcript(
    "of a draining server is answered by a close",
    { protocol, handler: hello },
    async ({ peer, server }) => {
      peer.sends(CPING);
      expect(await peer.reads(5)).toBe(CPONG.toString("hex"));
      server.close();
      peer.sends(CPING);
      await peer.expectsClose();
    },
  );
});

describe("the secret (A-2, A-3)", () => {
  const scene = { protocol, handler: hello, transport: "tcp" } as const;
  transcript("opens the door when it is right", scene, async ({ peer }) => {
    peer.sends(forwardRequest({ secret: SECRET }));
    expect(await peer.answer()).toMatchObject({ status: 200, reuse: true });
  });

  for (const [what, secret] of [
    ["missing", undefined],
    ["wrong", `${SECRET}!`],
    ["empty", ""],
  ] as const) {
    transcript(`is answered 403 and reuse=0 when it is ${what}`, scene, async ({ peer }) => {
      expect(ERRORS.AJP_SECRET.status).toBe(403);
      // With a body of unknown length nothing is due, and the connection must not be kept all the same.
      peer.sends(
        forwardRequest({ method: 4, headers: {}, ...(secret === undefined ? {} : { secret }) }),
      );
      expect(await peer.answer()).toMatchObject({ status: 403, reuse: false });
      await peer.expectsClose();
    });
  }

  transcript("is looked at before anything else", scene, async ({ peer }) => {
    peer.sends(
      forwardRequest({ attributes: { "javax.servlet.include.path_info": "/etc/passwd" } }),
    );
    expect(await peer.answer()).toMatchObject({ status: 403 });
  });
});

describe("request attributes (A-1)", () => {
  for (const name of [
    "javax.servlet.include.request_uri",
    "__proto__",
    "constructor",
    "x-ours",
    "ours-x",
  ]) {
    transcript(
      `${name} is refused with 403 and reuse=0`,
      { protocol, handler: hello, ajp: { attributes: /ours/ } },
      async ({ peer }) => {
        expect(ERRORS.AJP_ATTRIBUTE.status).toBe(403);
        peer.sends(forwardRequest({ attributes: { [name]: "1", a: "b" } }));
        expect(await peer.answer()).toMatchObject({ status: 403, reuse: false });
        await peer.expectsClose();
      },
    );
  }

  transcript(
    "that ajp.attributes allows by its whole name reaches the handler",
    { protocol, handler: echo, ajp: { attributes: /ours|route_\d/ } },
    async ({ peer }) => {
      peer.sends(forwardRequest({ attributes: { ours: "1", route_2: "2" } }));
      expect(echoed(await peer.answer()).attributes).toEqual({ ours: "1", route_2: "2" });
    },
  );
});

describe("a response", () => {
  transcript(
    "asks to be passed on by a chunk of no bytes after flushHeaders()",
    {
      protocol,
      handler: (_req, res) => {
        res.flushHeaders();
        setTimeout(() => res.end("later"), 30);
      },
    },
    async ({ peer }) => {
      peer.sends(forwardRequest());
      expect((await peer.readPacket())[0]).toBe(4);
      expect((await peer.readPacket()).toString("hex")).toBe("03000000");
      expect((await peer.readPacket()).toString("latin1")).toBe("\x03\0\x05later\0");
      expect((await peer.readPacket()).toString("hex")).toBe("0501");
    },
  );

  transcript(
    "whose head fits no packet is a 500, and the reason is reported (A-13, R-8)",
    {
      protocol,
      handler: (_req, res) => {
        res.setHeader("X-Long", "x".repeat(9_000));
        res.end("hi");
      },
    },
    async ({ peer, errors }) => {
      peer.sends(forwardRequest());
      expect(await peer.answer()).toMatchObject({
        status: 500,
        body: "500 Internal Server Error\n",
      });
      expect(String(errors[0])).toContain("ajp.packetSize");
    },
  );

  transcript(
    "fills packets of ajp.packetSize, up to 65536",
    { protocol, handler: (_req, res) => res.end("x".repeat(200_000)), ajp: { packetSize: 65_536 } },
    async ({ peer }) => {
      peer.sends(forwardRequest());
      expect((await peer.readPacket())[0]).toBe(4);
      const sizes: number[] = [];
      for (;;) {
        const payload = await peer.readPacket();
        if (payload[0] === 5) break;
        sizes.push(payload.readUInt16BE(1));
      }
      expect(sizes).toEqual([65_528, 65_528, 65_528, 3_416]);
    },
  );

  transcript(
    "of a request in packets of 65536 bytes",
    { protocol, handler: echo, ajp: { packetSize: 65_536 } },
    async ({ peer }) => {
      const long = "y".repeat(40_000);
      peer.sends(
        forwardRequest({ method: 4, headers: { "X-Long": long, "Content-Length": "65000" } }),
      );
      peer.sends(bodyPacket("z".repeat(65_000)));
      const said = echoed(await peer.answer());
      expect([said.headers["x-long"], said.body]).toEqual([long, "z".repeat(65_000)]);
    },
  );
});

describe("a packet", () => {
  transcript(
    "longer than ajp.packetSize is 400 and reuse=0",
    { protocol, handler: hello },
    async ({ peer }) => {
      expect(ERRORS.AJP_PACKET_BYTES.status).toBe(400);
      peer.sends(Buffer.of(0x12, 0x34, 0xff, 0xff));
      expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
      await peer.expectsClose();
    },
  );

  transcript(
    "that is no AJP closes the connection without a word",
    { protocol, handler: hello },
    async ({ peer }) => {
      expect([ERRORS.AJP_MAGIC.status, ERRORS.AJP_FORWARD.status]).toEqual([0, 400]);
      peer.sends("GET / HTTP/1.1\r\n\r\n");
      await peer.expectsClose();
    },
  );

  transcript(
    "SHUTDOWN stops nothing (A-15)",
    { protocol, handler: hello },
    async ({ peer, connect }) => {
      peer.sends(packet(Buffer.of(7)));
      await peer.expectsClose();
      const other = await connect();
      other.sends(forwardRequest());
      expect(await other.answer()).toMatchObject({ status: 200 });
    },
  );
});
