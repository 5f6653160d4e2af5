/**
 * Responses with fewer or more bytes than their Content-Length declares: what a front server sees of each.
 * RFC 9110 §8.6.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { Latch } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import { fastcgiRequest } from "../../support/transcript-frames.ts";

describe("Content-Length", () => {
  const sends =
    (length: number, body: string): NodeHandler =>
    (_req, res) => {
      res.setHeader("Content-Length", String(length));
      res.end(body);
    };

  transcript(
    "larger than a body that is known at once is a 500",
    { handler: sends(10, "short") },
    async ({ peer, errors }) => {
      peer.sends(fastcgiRequest());
      expect(await peer.answer()).toMatchObject({ status: 500 });
      expect(String(errors[0])).toContain("Content-Length");
    },
  );

  let heard = new Latch();
  transcript(
    "larger than a body that is streamed ends in a reset",
    () => {
      heard = new Latch();
      const handler: NodeHandler = (_req, res) => {
        res.setHeader("Content-Length", "10");
        res.write("half");
        // libuv tells a client of an end where data and reset meet: the data has to be read before.
        void heard.opened.then(() => res.end());
      };
      return { transport: "tcp", handler };
    },
    async ({ peer, errors }) => {
      peer.sends(fastcgiRequest({ keep: true }));
      await peer.readSome();
      heard.open();
      await peer.expectsReset();
      expect(errors.map(String).join()).toContain("Content-Length");
    },
  );

  transcript(
    "smaller than the body: the excess is not sent, and it is reported (R-6)",
    { handler: sends(4, "long body") },
    async ({ peer, errors }) => {
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 200, body: "long" });
      expect(errors.map(String).join()).toContain("Content-Length");
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 200, body: "long" });
    },
  );

  for (const [what, status, method] of [
    ["HEAD", 200, "HEAD"],
    ["204", 204, "GET"],
    ["304", 304, "GET"],
  ] as const) {
    transcript(
      `is not held against ${what}, which has no body`,
      {
        handler: (_req, res) => {
          res.writeHead(status, { "Content-Length": "10" });
          res.end("not a byte");
        },
      },
      async ({ peer, errors }) => {
        peer.sends(fastcgiRequest({ keep: true, params: { REQUEST_METHOD: method } }));
        expect(await peer.answer()).toMatchObject({ status, body: "" });
        expect(errors).toEqual([]);
      },
    );
  }

  transcript(
    "of an error answer to HEAD comes without the body",
    {
      handler: () => {
        throw new Error("on purpose");
      },
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest({ params: { REQUEST_METHOD: "HEAD" } }));
      expect(await peer.answer()).toMatchObject({ status: 500, body: "" });
    },
  );
});
