/**
 * Deadlines, made short: heads, bodies and readers that take too long, kept connections that idle, whole requests.
 * The clock looks twice a second, so times are lower bounds.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import { echo, echoed, hello, Latch, pause, until } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import {
  begin,
  bodyPacket,
  fastcgiRequest,
  forwardRequest,
  GET_BODY_CHUNK,
  params,
  record,
  scgiRequest,
  Type,
  USUAL,
} from "../../support/transcript-frames.ts";

const waiting = (): undefined => undefined;

describe.concurrent("timeouts.head (X-6)", () => {
  const timeouts = { head: 300 };
  const code = ERRORS.TIMEOUT_HEAD.status;

  transcript(
    `answers ${code} to FastCGI PARAMS without an end`,
    { handler: hello, timeouts },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 408, protocolStatus: 0 });
      await peer.expectsClose();
    },
  );

  transcript(
    "closes on half a FastCGI record header",
    { handler: hello, timeouts },
    async ({ peer }) => {
      peer.sends(Buffer.of(1, 1, 0));
      await peer.expectsClose();
    },
  );

  transcript(
    "answers 408 to half a netstring",
    { protocol: "scgi", handler: hello, timeouts },
    async ({ peer }) => {
      peer.sends(scgiRequest().subarray(0, 20));
      expect(await peer.answer()).toMatchObject({ status: 408 });
    },
  );

  transcript(
    "answers 408 and reuse=0 to half a Forward Request",
    { protocol: "ajp", handler: hello, timeouts },
    async ({ peer }) => {
      peer.sends(forwardRequest().subarray(0, 20));
      expect(await peer.answer()).toMatchObject({ status: 408, reuse: false });
      await peer.expectsClose();
    },
  );

  transcript(
    "is over with the head: a body and its handler may take longer",
    { handler: echo, timeouts },
    async ({ peer }) => {
      const head = params(1, { ...USUAL, CONTENT_LENGTH: "6" });
      peer.sends(begin(1, { keep: true }), head, record({ type: Type.STDIN, content: "abc" }));
      // Half a record header, and a while after it the rest.
      peer.sends(Buffer.of(1, 5, 0));
      await pause(1_200);
      peer.sends(Buffer.of(1, 0, 3, 0, 0), "def");
      expect(echoed(await peer.answer()).body).toBe("abcdef");
      await peer.expectsSilence();
    },
  );

  transcript(
    "does not count for an AJP body packet that comes in pieces",
    { protocol: "ajp", handler: echo, timeouts },
    async ({ peer }) => {
      const packet = bodyPacket("hello");
      peer.sends(
        forwardRequest({ method: 4, headers: { "Content-Length": "5" } }),
        packet.subarray(0, 6),
      );
      await pause(1_200);
      peer.sends(packet.subarray(6));
      expect(await peer.answer()).toMatchObject({ status: 200, reuse: true });
    },
  );
});

describe.concurrent("timeouts.body (X-6)", () => {
  const timeouts = { body: 300 };

  transcript(
    "answers 408 when no byte comes and none was answered",
    { handler: echo, timeouts },
    async ({ peer }) => {
      expect(ERRORS.TIMEOUT_BODY.status).toBe(408);
      peer.sends(begin(1, { keep: true }), params(1, { ...USUAL, CONTENT_LENGTH: "5" }));
      expect(await peer.answer()).toMatchObject({ status: 408 });
      await peer.expectsClose();
    },
  );

  transcript(
    "answers 408 over SCGI",
    { protocol: "scgi", handler: echo, timeouts },
    async ({ peer }) => {
      const whole = scgiRequest({ body: "hello" });
      peer.sends(whole.subarray(0, whole.length - 1));
      expect(await peer.answer()).toMatchObject({ status: 408 });
    },
  );

  transcript(
    "answers 408 to an AJP peer that was asked and says nothing (A-10)",
    { protocol: "ajp", handler: echo, timeouts },
    async ({ peer }) => {
      peer.sends(forwardRequest({ method: 4, headers: { "Transfer-Encoding": "chunked" } }));
      expect(await peer.reads(7)).toBe(GET_BODY_CHUNK.toString("hex"));
      expect(await peer.answer()).toMatchObject({ status: 408, reuse: false });
    },
  );

  transcript(
    "breaks a response that has begun",
    { handler: (_req, res) => void res.write("half"), timeouts, transport: "tcp" },
    async ({ peer }) => {
      peer.sends(begin(1), params(1, { ...USUAL, CONTENT_LENGTH: "5" }));
      await peer.expectsReset();
    },
  );

  transcript(
    "does not run while the handler holds the body back",
    {
      timeouts,
      limits: { windowBytes: 1_000 },
      handler: async (req, res) => {
        await pause(1_300);
        return echo(req, res);
      },
    },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), params(1, { ...USUAL, CONTENT_LENGTH: "200000" }));
      for (let i = 0; i < 4; i++)
        peer.sends(record({ type: Type.STDIN, content: "x".repeat(50_000) }));
      expect(echoed(await peer.answer()).body.length).toBe(200_000);
    },
  );
});

describe.concurrent("timeouts.idle", () => {
  transcript(
    "closes a kept connection on which nothing happens",
    { handler: hello, timeouts: { idle: 300 } },
    async ({ peer }) => {
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 200 });
      await peer.expectsClose();
    },
  );

  transcript(
    "counts from the end of the last request, however long that took",
    {
      timeouts: { idle: 700 },
      handler: (_req, res) => void setTimeout(() => res.end("slow"), 1_500),
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ body: "slow" });
      await peer.expectsSilence(300);
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ body: "slow" });
    },
  );
});

describe.concurrent("timeouts.request", () => {
  transcript(
    "answers 503 for a handler that never does",
    { handler: waiting, timeouts: { request: 300 } },
    async ({ peer }) => {
      expect(ERRORS.TIMEOUT_REQUEST.status).toBe(503);
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 503 });
    },
  );

  transcript(
    "tells the handler",
    () => {
      const reason = new Latch<string>();
      return {
        timeouts: { request: 300 },
        handler: (req, res) => {
          if (req.url === "/reason") return void reason.opened.then((text) => res.end(text));
          req.gateway.signal.addEventListener("abort", () => {
            reason.open((req.gateway.signal.reason as { code: string }).code);
          });
        },
      };
    },
    async ({ peer, connect }) => {
      peer.sends(fastcgiRequest());
      expect(await peer.answer()).toMatchObject({ status: 503 });
      const other = await connect();
      other.sends(fastcgiRequest({ params: { REQUEST_URI: "/reason" } }));
      expect((await other.answer()).body).toBe("ERR_TIMEOUT_REQUEST");
    },
  );
});

describe.concurrent("timeouts.drain", () => {
  transcript(
    "ends by force what does not end by itself",
    { handler: waiting, timeouts: { drain: 300 } },
    async ({ peer, server }) => {
      peer.sends(fastcgiRequest());
      await pause(30);
      let closed = false;
      server.close(() => {
        closed = true;
      });
      await until(() => closed, 2_000);
    },
  );
});
