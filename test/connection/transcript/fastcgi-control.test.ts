/**
 * FastCGI management records spoken to serve(): GET_VALUES, UNKNOWN_TYPE, and how many of them are too many.
 * Sections are those of the FastCGI specification.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import { hello } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import {
  begin,
  fastcgiRequest,
  pairs,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../../support/transcript-frames.ts";

describe("management records (§4)", () => {
  const values = (options: object) => ({
    handler: hello,
    limits: { connections: 64, requests: 1_024 },
    ...options,
  });
  const asked = pairs({
    FCGI_MAX_CONNS: "",
    FCGI_MAX_REQS: "",
    FCGI_MPXS_CONNS: "",
    FCGI_NOPE: "",
  });
  const known = (mpxs: string) =>
    pairs({ FCGI_MAX_CONNS: "64", FCGI_MAX_REQS: "1024", FCGI_MPXS_CONNS: mpxs });

  transcript(
    "GET_VALUES is answered with what is known, before, between and in a request (F-11, B-82)",
    values({}),
    async ({ peer }) => {
      const query = record({ type: Type.GET_VALUES, id: 0, content: asked, padding: 5 });
      const expected = record({
        type: Type.GET_VALUES_RESULT,
        id: 0,
        content: known("0"),
      }).toString("hex");
      peer.sends(query);
      expect(await peer.reads(expected.length / 2)).toBe(expected);
      peer.sends(begin(1, { keep: true }), query);
      expect(await peer.reads(expected.length / 2)).toBe(expected);
      peer.sends(params(1, USUAL), stdin(1));
      expect(await peer.answer()).toMatchObject({ status: 200 });
      peer.sends(query);
      expect(await peer.reads(expected.length / 2)).toBe(expected);
    },
  );

  transcript(
    "GET_VALUES says when multiplexing is on",
    values({ multiplex: true }),
    async ({ peer }) => {
      peer.sends(record({ type: Type.GET_VALUES, id: 0, content: pairs({ FCGI_MPXS_CONNS: "" }) }));
      const expected = record({
        type: Type.GET_VALUES_RESULT,
        id: 0,
        content: pairs({ FCGI_MPXS_CONNS: "1" }),
      });
      expect(await peer.reads(expected.length)).toBe(expected.toString("hex"));
    },
  );

  transcript(
    "an unknown type with id 0 gets UNKNOWN_TYPE, and the connection goes on (§4.2)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(record({ type: 32, id: 0, content: "abc", padding: 5 }));
      expect(await peer.reads(16)).toBe("010b0000000800002000000000000000");
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 200 });
    },
  );

  transcript(
    "a flood of them is answered a hundred times, then the connection closes (X-10)",
    { handler: hello },
    async ({ peer }) => {
      expect(ERRORS.FCGI_CONTROLS.status).toBe(0);
      peer.sends(...Array.from({ length: 1_000 }, () => record({ type: 32, id: 0 })));
      expect((await peer.readToEnd()).length).toBe(100 * 16);
    },
  );

  transcript(
    "a flood of records for unknown ids closes the connection after 1 MiB (X-10)",
    { handler: hello },
    async ({ peer }) => {
      expect(ERRORS.FCGI_STRAY_BYTES.status).toBe(0);
      const stray = record({ type: Type.STDIN, id: 9, content: "x".repeat(60_000) });
      for (let i = 0; i < 20; i++) peer.sends(stray);
      await peer.readToEnd();
    },
  );
});
