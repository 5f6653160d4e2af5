/**
 * FastCGI request ids spoken to serve(): aborts, and input that still comes for a request that is answered.
 * Sections are those of the FastCGI specification; ids such as D-1 are the classes of mistakes that others made here.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { echo, echoed, hello, Latch } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import {
  begin,
  fastcgiRequest,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../../support/transcript-frames.ts";

describe("a request that its handler has answered already", () => {
  /** Answers while the request's rows are still being dispatched. */
  const early: NodeHandler = (_req, res) => res.end("early");

  transcript(
    "gets no second answer for a body that is too short (BODY_SHORT)",
    { handler: early },
    async ({ peer }) => {
      expect(ERRORS.BODY_SHORT.status).toBe(400);
      const head = params(1, { ...USUAL, CONTENT_LENGTH: "5" });
      peer.sends(begin(1, { keep: true }), head, stdin(1, "he"));
      expect(await peer.answer()).toMatchObject({ status: 200, body: "early" });
      await peer.expectsSilence();
      peer.sends(fastcgiRequest({ id: 3, keep: true }));
      expect(await peer.answer()).toMatchObject({ id: 3, status: 200 });
    },
  );

  transcript(
    "gets no second answer for a body that is too large (LIMIT_BODY_BYTES)",
    { handler: early, limits: { bodyBytes: 10 } },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), params(1, USUAL), stdin(1, "x".repeat(20)));
      expect(await peer.answer()).toMatchObject({ status: 200, body: "early" });
      await peer.expectsSilence();
    },
  );
});

describe("an id whose input has not ended (D-1)", () => {
  transcript(
    "is a zombie: its STDIN reaches nobody, and BEGIN before its end closes the connection",
    { handler: echo },
    async ({ peer }) => {
      expect(ERRORS.FCGI_DUPLICATE_BEGIN.status).toBe(0);
      const head = params(1, { ...USUAL, CONTENT_LENGTH: "1048576", REQUEST_METHOD: "" });
      peer.sends(begin(1, { keep: true }), head);
      expect(await peer.answer()).toMatchObject({ status: 400 });
      await peer.expectsClose();
    },
  );

  const early: NodeHandler = (req, res) =>
    req.url === "/early" ? res.end("early") : echo(req, res);
  const unread = { ...USUAL, REQUEST_URI: "/early", CONTENT_LENGTH: "100000" };

  transcript("is free again after its STDIN has ended", { handler: early }, async ({ peer }) => {
    peer.sends(begin(1, { keep: true }), params(1, unread));
    expect(await peer.answer()).toMatchObject({ body: "early" });
    peer.sends(record({ type: Type.STDIN, content: "x".repeat(50_000) }));
    peer.sends(record({ type: Type.STDIN, content: "x".repeat(50_000) }), stdin(1));
    peer.sends(fastcgiRequest({ keep: true, body: "mine" }));
    expect(echoed(await peer.answer()).body).toBe("mine");
  });

  transcript("closes the connection when it begins again", { handler: early }, async ({ peer }) => {
    peer.sends(begin(1, { keep: true }), params(1, unread));
    expect(await peer.answer()).toMatchObject({ body: "early" });
    peer.sends(record({ type: Type.STDIN, content: "x" }), fastcgiRequest({ keep: true }));
    await peer.expectsClose();
  });

  transcript("does not hinder other ids", { handler: early }, async ({ peer }) => {
    peer.sends(begin(1, { keep: true }), params(1, unread));
    expect(await peer.answer()).toMatchObject({ body: "early" });
    peer.sends(fastcgiRequest({ id: 2, keep: true, body: "two" }));
    expect(echoed(await peer.answer()).body).toBe("two");
  });

  transcript(
    "may keep its connection waiting for 2 s, then that closes",
    { handler: early },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), params(1, unread));
      expect(await peer.answer()).toMatchObject({ body: "early" });
      const began = performance.now();
      await peer.expectsClose();
      expect(performance.now() - began).toBeGreaterThan(1_400);
    },
  );
});

describe("ABORT_REQUEST (§5.4)", () => {
  transcript(
    "tells the handler, ends the request, keeps the connection",
    () => {
      const seen: string[] = [];
      const handler: NodeHandler = (req, res) => {
        if (req.url === "/seen") return void res.end(seen.join());
        req.on("aborted", () => seen.push("aborted"));
        res.on("close", () => seen.push("close"));
        req.gateway.signal.addEventListener("abort", () => {
          seen.push((req.gateway.signal.reason as { code: string }).code);
        });
      };
      return { handler };
    },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), params(1, USUAL));
      peer.sends(record({ type: Type.ABORT }));
      expect(await peer.reads(16)).toBe("01030001000800000000000000000000");
      peer.sends(fastcgiRequest({ keep: true, params: { REQUEST_URI: "/seen" } }));
      expect((await peer.answer()).body).toBe("ERR_ABORTED,aborted,close");
      // Nothing is left over of an aborted request: the connection lives on.
      await peer.expectsSilence(2_700);
    },
  );

  transcript(
    "before the end of PARAMS is answered all the same (F-11)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), record({ type: Type.ABORT }));
      expect(await peer.answer()).toMatchObject({ id: 1, status: 0, protocolStatus: 0 });
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 200 });
    },
  );

  transcript(
    "after the response head ends STDOUT as well",
    () => {
      const begun = new Latch();
      const handler: NodeHandler = (_req, res) => {
        res.write("half");
        begun.open();
      };
      return { handler };
    },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), params(1, USUAL), stdin(1));
      expect((await peer.readRecord()).type).toBe(Type.STDOUT);
      peer.sends(record({ type: Type.ABORT }));
      expect(await peer.reads(8)).toBe("0106000100000000");
      expect(await peer.reads(16)).toBe("01030001000800000000000000000000");
    },
  );
});
