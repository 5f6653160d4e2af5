/**
 * AJP 1.3 bodies spoken to serve(): the unasked first packet, the demand for more, chunked requests, lighttpd's raw ones.
 * Sections are those of the AJP reference; ids such as A-5 are the classes of mistakes that others made here.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { echo, echoed, hello, Latch, pause, readAll } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import {
  bodyPacket,
  forwardRequest,
  GET_BODY_CHUNK,
  packet,
} from "../../support/transcript-frames.ts";

const protocol = "ajp";
const ask = GET_BODY_CHUNK.toString("hex");
const post = (length: number | string) =>
  forwardRequest({ method: 4, headers: { Host: "a.test", "Content-Length": String(length) } });
const chunked = forwardRequest({
  method: 4,
  headers: { Host: "a.test", "Transfer-Encoding": "chunked" },
});

describe("a body", () => {
  transcript(
    "of known length: the first packet comes unasked, the others one by one (A02, A03)",
    { protocol, handler: echo },
    async ({ peer }) => {
      peer.sends(post(20_000), bodyPacket("a".repeat(8_186)));
      expect(await peer.reads(7)).toBe(ask);
      await peer.expectsSilence(20);
      peer.sends(bodyPacket("b".repeat(8_186)));
      expect(await peer.reads(7)).toBe(ask);
      peer.sends(bodyPacket("c".repeat(3_628)));
      const answer = await peer.answer();
      expect(answer).toMatchObject({ reuse: true, asked: 0 });
      expect(echoed(answer).body).toHaveLength(20_000);
    },
  );

  transcript(
    "of unknown length is asked for from the start, until its end marker (A04, A-10)",
    { protocol, handler: echo },
    async ({ peer }) => {
      peer.sends(chunked);
      expect(await peer.reads(7)).toBe(ask);
      peer.sends(bodyPacket("hello"));
      expect(await peer.reads(7)).toBe(ask);
      peer.sends(packet(""));
      const answer = await peer.answer();
      expect(answer).toMatchObject({ reuse: true, asked: 0 });
      expect(echoed(answer).body).toBe("hello");
      peer.sends(forwardRequest());
      expect(await peer.answer()).toMatchObject({ status: 200 });
    },
  );

  transcript(
    "is not asked for while the handler does not read",
    () => {
      const reading = new Latch();
      const handler: NodeHandler = async (req, res) => {
        setTimeout(reading.open, 80);
        await reading.opened;
        res.end(await readAll(req));
      };
      return { protocol, handler };
    },
    async ({ peer }) => {
      peer.sends(post(16_372), bodyPacket("a".repeat(8_186)));
      await peer.expectsSilence(50);
      expect(await peer.reads(7)).toBe(ask);
      peer.sends(bodyPacket("b".repeat(8_186)));
      expect((await peer.answer()).body).toHaveLength(16_372);
    },
  );

  transcript(
    "that nobody reads is not asked for after the end, and the connection is used again only if nothing is due (A-5)",
    { protocol, handler: hello },
    async ({ peer, connect }) => {
      peer.sends(chunked);
      expect(await peer.answer()).toMatchObject({ body: "hi", asked: 0, reuse: true });
      await peer.expectsSilence();
      peer.sends(forwardRequest());
      expect(await peer.answer()).toMatchObject({ body: "hi", reuse: true });
      const other = await connect();
      other.sends(post(20_000));
      expect(await other.answer()).toMatchObject({ body: "hi", asked: 0, reuse: false });
      other.sends(bodyPacket("a".repeat(8_186)));
      await other.expectsClose();
    },
  );

  transcript(
    "of a request answered early keeps its kept connection open longer than any leftover",
    { protocol, handler: hello },
    async ({ peer }) => {
      peer.sends(chunked);
      expect(await peer.answer()).toMatchObject({ reuse: true });
      await peer.expectsSilence(2_700);
    },
  );

  transcript(
    "that ends early fails with 400 and reuse=0",
    { protocol, handler: echo },
    async ({ peer }) => {
      expect(ERRORS.BODY_SHORT.code).toBe("ERR_BODY_SHORT");
      peer.sends(post(100), bodyPacket("short"));
      expect(await peer.reads(7)).toBe(ask);
      peer.sends(bodyPacket());
      expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
      await peer.expectsClose();
    },
  );

  transcript(
    "longer than its Content-Length is 400 and reuse=0 (ERR_AJP_BODY_EXCESS)",
    { protocol, handler: echo },
    async ({ peer }) => {
      expect(ERRORS.AJP_BODY_EXCESS.status).toBe(400);
      peer.sends(post(3), bodyPacket("hello"));
      expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
      await peer.expectsClose();
    },
  );

  transcript(
    "over the limit is 413, and nothing more is asked for",
    { protocol, handler: echo, limits: { bodyBytes: 10_000 } },
    async ({ peer, connect }) => {
      peer.sends(post(10_001), bodyPacket("a".repeat(8_186)));
      expect(await peer.answer()).toMatchObject({ status: 413, reuse: false, asked: 0 });
      await peer.expectsClose();
      const other = await connect();
      other.sends(chunked);
      for (let i = 0; i < 2; i++) {
        expect(await other.reads(7)).toBe(ask);
        other.sends(bodyPacket("a".repeat(8_186)));
      }
      expect(await other.answer()).toMatchObject({ status: 413, reuse: false, asked: 0 });
      await other.expectsClose();
    },
  );

  transcript(
    "when none is due closes the connection and is never parsed (A-4)",
    { protocol, handler: () => undefined },
    async ({ peer }) => {
      expect(ERRORS.AJP_PACKET_TYPE.status).toBe(0);
      peer.sends(forwardRequest());
      await pause(20);
      peer.sends(forwardRequest({ uri: "/smuggled" }));
      await peer.expectsClose();
    },
  );

  transcript(
    "raw, as lighttpd writes it, is read with ajp.rawBody only (A-14)",
    { protocol, handler: echo, ajp: { rawBody: true } },
    async ({ peer }) => {
      peer.sends(post(5), packet("hello"));
      expect(echoed(await peer.answer()).body).toBe("hello");
      peer.sends(forwardRequest(), packet(""));
      expect(await peer.answer()).toMatchObject({ reuse: true });
    },
  );

  transcript(
    "raw without the option is 400, and the log names the option (A-14)",
    { protocol, handler: echo },
    async ({ peer, errors }) => {
      expect(ERRORS.AJP_BODY_LENGTH.sentence).toContain("ajp.rawBody");
      peer.sends(post(5), packet("hello"));
      expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
      expect(errors.map(String).join()).toContain("ajp.rawBody");
    },
  );
});

describe("Transfer-Encoding (A-4)", () => {
  const headers = (...list: [string, string][]) =>
    forwardRequest({ method: 4, headers: [["Host", "a.test"], ...list] });
  const bad: [string, Buffer][] = [
    ["gzip, chunked", headers(["Transfer-Encoding", "gzip, chunked"])],
    ["identity", headers(["Transfer-Encoding", "identity"])],
    ["a tab before it", headers(["Transfer-Encoding", "\tchunked"])],
    ["twice", headers(["Transfer-Encoding", "chunked"], ["Transfer-Encoding", "chunked"])],
    ["beside Content-Length", headers(["Transfer-Encoding", "chunked"], ["Content-Length", "5"])],
    ["after Content-Length", headers(["Content-Length", "5"], ["Transfer-Encoding", "chunked"])],
  ];
  for (const [what, bytes] of bad) {
    transcript(
      `other than chunked alone is 400 and reuse=0: ${what}`,
      { protocol, handler: hello },
      async ({ peer }) => {
        expect(ERRORS.TRANSFER_ENCODING.status).toBe(400);
        peer.sends(bytes);
        expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
        await peer.expectsClose();
      },
    );
  }

  for (const length of ["5x", "-1", "+5", "5 ", "", "0x5", "99999999999999999999"]) {
    transcript(
      `Content-Length "${length}" is 400 (A-11)`,
      { protocol, handler: hello },
      async ({ peer }) => {
        peer.sends(post(length));
        expect(await peer.answer()).toMatchObject({ status: 400, reuse: false });
        await peer.expectsClose();
      },
    );
  }
});
