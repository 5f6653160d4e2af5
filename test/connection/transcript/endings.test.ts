/**
 * How connections end: FIN with its two meanings, lingering closes, failures that a front server must see.
 * Unix sockets tell a full close from a half-close; TCP does not, and knows a reset instead.
 */
import { describe, expect, test } from "vitest";
import type { NodeHandler } from "../../../src/serve/application.ts";
import {
  connectionsOf,
  echo,
  echoed,
  hello,
  Latch,
  pause,
  until,
} from "../../support/behaviour.ts";
import {
  eachEngine,
  type FramedProtocol,
  play,
  type Scene,
  SECRET,
  transcript,
} from "../../support/transcript.ts";
import {
  begin,
  bodyPacket,
  fastcgiRequest,
  forwardRequest,
  params,
  record,
  scgiRequest,
  stdin,
  Type,
  USUAL,
} from "../../support/transcript-frames.ts";

/** A whole GET of each protocol. */
const get: Readonly<Record<FramedProtocol, Buffer>> = {
  fastcgi: fastcgiRequest(),
  scgi: scgiRequest(),
  ajp: forwardRequest({ secret: SECRET }),
};
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;

/** A handler that tells when it began and how its request ended. */
function watched(): { handler: NodeHandler; began: Promise<void>; events: string[] } {
  const latch = new Latch();
  const events: string[] = [];
  const handler: NodeHandler = (req, res) => {
    latch.open();
    req.on("aborted", () => events.push("aborted"));
    res.on("close", () => events.push("close"));
    req.gateway.signal.addEventListener("abort", () => {
      events.push((req.gateway.signal.reason as { code: string }).code);
    });
  };
  return { handler, began: latch.opened, events };
}

describe.each(PROTOCOLS)("the peer of %s", (protocol) => {
  for (const transport of ["unix", "tcp"] as const) {
    eachEngine(`goes away, ${protocol} over ${transport}`, (engine) => {
      test(`goes away by a full close while the handler waits: it hears of it (${transport}, X-9) · ${engine}`, async () => {
        const { handler, began, events } = watched();
        await play({ protocol, handler, transport }, engine, async ({ peer }) => {
          peer.sends(get[protocol]);
          await began;
          peer.socket.destroy();
          await until(() => events.length === 3);
          expect(events).toEqual(["ERR_CONNECTION_LOST", "aborted", "close"]);
        });
      });
    });
  }

  eachEngine(`half-closes, ${protocol}`, (engine) => {
    const late: NodeHandler = (_req, res) => void setTimeout(() => res.end("late"), 50);

    test(`half-closes a unix socket after its request: the answer is delivered (S-5) · ${engine}`, () =>
      play({ protocol, handler: late }, engine, async ({ peer }) => {
        peer.sends(get[protocol]);
        peer.end();
        expect(await peer.answer()).toMatchObject({ status: 200, body: "late" });
        await peer.expectsClose();
      }));

    test(`half-closes TCP: that is an abort, unless halfOpen says otherwise · ${engine}`, async () => {
      const { handler, began, events } = watched();
      await play({ protocol, handler, transport: "tcp" }, engine, async ({ peer }) => {
        peer.sends(get[protocol]);
        await began;
        peer.end();
        await until(() => events.length === 3);
        expect((await peer.readToEnd()).length).toBe(0);
      });
      const scene = { protocol, handler: late, transport: "tcp", halfOpen: true } as const;
      await play(scene, engine, async ({ peer }) => {
        peer.sends(get[protocol]);
        peer.end();
        expect(await peer.answer()).toMatchObject({ status: 200, body: "late" });
      });
    });

    test(`half-closes in the middle of a body: the body fails, it never just ends (S-6) · ${engine}`, async () => {
      const failed = new Latch<string>();
      const handler: NodeHandler = async (req) => {
        try {
          for await (const _chunk of req);
          failed.open("ended");
        } catch (error) {
          failed.open((error as { code: string }).code);
        }
      };
      await play({ protocol, handler }, engine, async ({ peer }) => {
        const long = { ...USUAL, CONTENT_LENGTH: "100" };
        if (protocol === "fastcgi") {
          peer.sends(begin(1), params(1, long), record({ type: Type.STDIN, content: "half" }));
        } else if (protocol === "scgi") {
          const whole = scgiRequest({ body: "x".repeat(100) });
          peer.sends(whole.subarray(0, whole.length - 50));
        } else {
          const headers = { "Content-Length": "100" };
          peer.sends(forwardRequest({ method: 4, headers }), bodyPacket("half"));
        }
        peer.end();
        expect(await failed.opened).toBe("ECONNRESET");
      });
    });
  });
});

describe.each(PROTOCOLS)("a forced stop of %s", (protocol) => {
  eachEngine(`a forced stop of ${protocol}`, (engine) => {
    test(`tells handlers before shutdown() resolves, and the peer sees a reset · ${engine}`, async () => {
      const { handler, began, events } = watched();
      const streaming: NodeHandler = (req, res) => {
        handler(req, res);
        res.write("begun");
      };
      const scene: Scene = {
        protocol,
        handler: streaming,
        transport: "tcp",
        timeouts: { drain: 50 },
      };
      await play(scene, engine, async ({ peer, server }) => {
        peer.sends(get[protocol]);
        await began;
        await server.shutdown();
        expect(events).toEqual(["ERR_CONNECTION_LOST", "aborted", "close"]);
        await peer.expectsReset();
      });
    });
  });
});

describe("a response that fails after its head (R-6)", () => {
  const broken: NodeHandler = async (_req, res) => {
    res.write("half");
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error("on purpose");
  };

  for (const protocol of PROTOCOLS) {
    for (const keep of protocol === "fastcgi" ? [false, true] : [false]) {
      const request = keep ? fastcgiRequest({ keep }) : get[protocol];
      transcript(
        `ends in a reset over TCP: ${protocol}${keep ? " with KEEP_CONN" : ""}`,
        { protocol, handler: broken, transport: "tcp" },
        async ({ peer, errors }) => {
          peer.sends(request);
          expect((await peer.readSome()).toString("latin1")).toContain("half");
          await peer.expectsReset();
          expect(errors.map(String)).toEqual(["Error: on purpose"]);
        },
      );
    }
  }

  for (const keep of [false, true]) {
    transcript(
      `ends in an invalid record over a unix socket: FastCGI${keep ? " with KEEP_CONN" : ""}`,
      { handler: broken },
      async ({ peer }) => {
        peer.sends(fastcgiRequest({ keep }));
        const first = await peer.readRecord();
        expect(first.content.toString("latin1")).toContain("half");
        expect(await peer.reads(8)).toBe("0000000000000000");
        await peer.expectsClose();
      },
    );
  }

  transcript(
    "ends without END_RESPONSE over a unix socket: AJP",
    { protocol: "ajp", handler: broken },
    async ({ peer }) => {
      peer.sends(get.ajp);
      expect((await peer.readPacket())[0]).toBe(4);
      expect((await peer.readPacket()).toString("latin1")).toContain("half");
      const rest = await peer.readToEnd();
      expect(rest.includes(Buffer.of(0x41, 0x42, 0, 2, 5))).toBe(false);
    },
  );
});

describe("a lingering close", () => {
  const MIB = 1_048_576;
  const limits = { bodyBytes: 1_000 };
  for (const transport of ["unix", "tcp"] as const) {
    transcript(
      `lets the whole of an early 413 arrive while 1 MiB is still being sent: FastCGI over ${transport}`,
      { handler: echo, limits, transport },
      async ({ peer }) => {
        peer.sends(begin(1, { keep: true }), params(1, { ...USUAL, CONTENT_LENGTH: String(MIB) }));
        peer.sends(stdin(1, Buffer.alloc(MIB)));
        expect(await peer.answer()).toMatchObject({ status: 413, body: "413 Payload Too Large\n" });
        peer.end();
        await peer.expectsClose();
      },
    );

    transcript(
      `the same: SCGI over ${transport}`,
      { protocol: "scgi", handler: echo, limits, transport },
      async ({ peer }) => {
        peer.sends(scgiRequest({ body: Buffer.alloc(MIB) }));
        expect(await peer.answer()).toMatchObject({ status: 413 });
        peer.end();
      },
    );
  }

  transcript(
    "is none over the native transport where the peer has nothing more to say",
    { handler: hello },
    async ({ peer, server }) => {
      peer.sends(fastcgiRequest());
      expect(await peer.answer()).toMatchObject({ status: 200 });
      await peer.expectsClose();
      expect(await connectionsOf(server)).toBe(server.transport?.name === "native" ? 0 : 1);
    },
  );

  transcript(
    "ends after 2 s when the peer keeps silent",
    { handler: hello },
    async ({ peer, server }) => {
      // Without the record that ends STDIN: the peer may still want to send it.
      peer.sends(fastcgiRequest().subarray(0, -8));
      expect(await peer.answer()).toMatchObject({ status: 200 });
      await peer.expectsClose();
      expect(await connectionsOf(server)).toBe(1);
      const began = performance.now();
      while ((await connectionsOf(server)) > 0) await pause(50);
      expect(performance.now() - began).toBeGreaterThan(1_400);
    },
  );

  transcript(
    "takes 20 MiB and more for as long as they come",
    { protocol: "scgi", handler: echo, limits },
    async ({ peer, server }) => {
      peer.sends(scgiRequest({ body: Buffer.alloc(20 * MIB) }));
      expect(await peer.answer()).toMatchObject({ status: 413 });
      await until(() => peer.socket.writableLength === 0);
      expect(peer.failed).toBeUndefined();
      peer.end();
      while ((await connectionsOf(server)) > 0) await pause(20);
    },
  );
});

describe("a lost response", () => {
  transcript(
    "is no answer to a peer that is gone, and the next connection is served",
    { handler: echo },
    async ({ peer, connect }) => {
      peer.sends(begin(1), params(1, { ...USUAL, CONTENT_LENGTH: "5" }));
      peer.socket.destroy();
      const other = await connect();
      other.sends(fastcgiRequest({ body: "hello" }));
      expect(echoed(await other.answer()).body).toBe("hello");
    },
  );
});
