/**
 * FastCGI spoken to serve(): refusals, roles, kept connections, aborts, management records, leftover input.
 * Sections are those of the FastCGI specification; ids such as D-1 are the classes of mistakes that others made here.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { echo, echoed, hello, Latch, until } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import { headerOf } from "../../support/transcript-answers.ts";
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

describe("a request", () => {
  transcript(
    "is answered with Status first, STDOUT ended, END_REQUEST and a close without KEEP_CONN (§5.1)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(fastcgiRequest());
      const head = "Status: 200 OK\r\nContent-Length: 2\r\n\r\n";
      const stdout = await peer.readRecord();
      expect(stdout).toMatchObject({ type: Type.STDOUT, id: 1 });
      expect(stdout.content.toString("latin1")).toBe(`${head}hi`);
      expect(await peer.reads(8)).toBe("0106000100000000");
      expect(await peer.reads(16)).toBe("01030001000800000000000000000000");
      await peer.expectsClose();
    },
  );

  transcript(
    "with KEEP_CONN leaves the connection to the next one (§5.1)",
    { handler: echo },
    async ({ peer }) => {
      for (const id of [1, 255, 256, 65_535, 1]) {
        peer.sends(fastcgiRequest({ id, keep: true, params: { REQUEST_URI: `/${id}` } }));
        const answer = await peer.answer();
        expect(answer).toMatchObject({ id, status: 200, appStatus: 0, protocolStatus: 0 });
        expect(echoed(answer).url).toBe(`/${id}`);
      }
      await peer.expectsSilence();
    },
  );

  transcript(
    "sees nothing of the one before it on the connection (D-2)",
    { handler: echo },
    async ({ peer }) => {
      const secret = { REMOTE_USER: "root", HTTP_AUTHORIZATION: "Basic x", HTTP_COOKIE: "a=1" };
      peer.sends(fastcgiRequest({ keep: true, params: secret }));
      expect(echoed(await peer.answer()).headers).toMatchObject({ cookie: "a=1" });
      peer.sends(fastcgiRequest({ keep: true }));
      expect(echoed(await peer.answer()).headers).toEqual({ host: "example.test" });
    },
  );

  transcript(
    "answered before the end of STDIN comes is answered whole (F-13)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(begin(1), params(1, USUAL));
      expect(await peer.answer()).toMatchObject({ status: 200, body: "hi" });
      await peer.expectsClose();
      peer.sends(stdin(1));
      peer.end();
    },
  );

  transcript(
    "has its Status after a Location",
    {
      handler: (_req, res) => {
        res.writeHead(303, { Location: "/b", "X-A": "1" }).end();
      },
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest());
      const { content } = await peer.readRecord();
      expect(content.toString("latin1")).toBe(
        "Location: /b\r\nX-A: 1\r\nContent-Length: 0\r\nStatus: 303 See Other\r\n\r\n",
      );
    },
  );
});

describe("a refusal", () => {
  transcript(
    "answers UNKNOWN_ROLE when the role is 7 (§5.5)",
    { handler: hello },
    async ({ peer }) => {
      expect(ERRORS.FCGI_ROLE.status).toBe(0);
      peer.sends(begin(4, { role: 7, keep: true }));
      expect(await peer.reads(16)).toBe("01030004000800000000000003000000");
      peer.sends(fastcgiRequest({ keep: true }));
      expect(await peer.answer()).toMatchObject({ status: 200 });
    },
  );

  transcript(
    "answers CANT_MPX_CONN to a second request, and the first goes on (§5.5)",
    { handler: echo },
    async ({ peer }) => {
      expect(ERRORS.FCGI_CANT_MPX.status).toBe(0);
      peer.sends(begin(1, { keep: true }), params(1, { ...USUAL, CONTENT_LENGTH: "5" }));
      peer.sends(fastcgiRequest({ id: 2, keep: true, body: "late" }));
      expect(await peer.reads(16)).toBe("01030002000800000000000001000000");
      peer.sends(stdin(1, "hello"));
      expect(echoed(await peer.answer()).body).toBe("hello");
      peer.sends(fastcgiRequest({ id: 2, keep: true }));
      expect(await peer.answer()).toMatchObject({ id: 2, status: 200 });
    },
  );

  transcript(
    "ends the connection at the 101st one (ERR_FCGI_REFUSALS)",
    { handler: hello },
    async ({ peer }) => {
      expect(ERRORS.FCGI_REFUSALS.scope).toBe("connection");
      peer.sends(...Array.from({ length: 101 }, (_, i) => begin(i + 1, { role: 7, keep: true })));
      expect((await peer.readToEnd()).length).toBe(100 * 16);
    },
  );

  transcript(
    "of a request over limits.requests is a 503 with Retry-After, REQUEST_COMPLETE, and a close",
    () => ({ handler: () => undefined, limits: { requests: 1 } }),
    async ({ peer, connect, server }) => {
      expect(ERRORS.LIMIT_REQUESTS.status).toBe(503);
      peer.sends(fastcgiRequest({ keep: true }));
      await until(() => server.listenerCount("request") > 0);
      const other = await connect();
      await peer.expectsSilence(20);
      other.sends(fastcgiRequest({ keep: true }));
      const answer = await other.answer();
      expect(answer).toMatchObject({ status: 503, appStatus: 0, protocolStatus: 0 });
      expect(headerOf(answer, "retry-after")).toBe("1");
      await other.expectsClose();
    },
  );

  transcript(
    "of a broken request does not keep the connection, KEEP_CONN or not (D-6)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(fastcgiRequest({ keep: true, params: { REQUEST_METHOD: "" } }));
      expect(await peer.answer()).toMatchObject({ status: 400, protocolStatus: 0 });
      await peer.expectsClose();
    },
  );
});

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

describe("roles", () => {
  transcript(
    "an Authorizer may set variables for the front server (§6.3)",
    {
      handler: (req, res) => {
        res.setHeader("Variable-AUTH_METHOD", "db");
        res.end(req.gateway.role);
      },
    },
    async ({ peer }) => {
      peer.sends(begin(1, { role: 2, keep: true }), params(1, USUAL));
      const answer = await peer.answer();
      expect(answer).toMatchObject({ status: 200, body: "authorizer" });
      expect(headerOf(answer, "variable-auth_method")).toBe("db");
      // For a Responder the same field means nothing and is not sent.
      peer.sends(fastcgiRequest({ keep: true }));
      expect(headerOf(await peer.answer(), "variable-auth_method")).toBeUndefined();
    },
  );

  transcript("a Filter reads STDIN, then its file (§6.4)", { handler: echo }, async ({ peer }) => {
    const head = {
      ...USUAL,
      REQUEST_METHOD: "POST",
      CONTENT_LENGTH: "4",
      FCGI_DATA_LENGTH: "70000",
    };
    peer.sends(begin(1, { role: 3, keep: true }), params(1, head), stdin(1, "body"));
    for (const size of [65_535, 4_465]) {
      peer.sends(record({ type: Type.DATA, content: "d".repeat(size) }));
    }
    peer.sends(record({ type: Type.DATA }));
    const said = echoed(await peer.answer());
    expect(said).toMatchObject({ role: "filter", body: "body" });
    expect(said.data).toBe("d".repeat(70_000));
  });
});

describe("STDERR", () => {
  transcript(
    "carries req.gateway.errors in records of at most 8 KiB, ended before STDOUT's end (X-8)",
    {
      handler: (req, res) => {
        req.gateway.errors.write("x".repeat(20_000));
        res.end("done");
      },
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest());
      const sizes: number[] = [];
      for (;;) {
        const { type, content } = await peer.readRecord();
        if (type === Type.END) break;
        if (type === Type.STDERR) sizes.push(content.length);
      }
      expect(sizes).toEqual([8_192, 8_192, 3_616, 0]);
    },
  );

  transcript(
    "is cut at limits.stderrBytes",
    {
      handler: (req, res) => {
        for (let i = 0; i < 100; i++) req.gateway.errors.write("x".repeat(10_000));
        res.end("done");
      },
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest());
      const answer = await peer.answer();
      expect(answer.stderr.length).toBe(65_536);
      expect(answer.body).toBe("done");
    },
  );
});

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
    "GET_VALUES is answered with what is known, before, between and in a request",
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
    "a flood of records for unknown ids closes the connection after 1 MiB",
    { handler: hello },
    async ({ peer }) => {
      expect(ERRORS.FCGI_STRAY_BYTES.status).toBe(0);
      const stray = record({ type: Type.STDIN, id: 9, content: "x".repeat(60_000) });
      for (let i = 0; i < 20; i++) peer.sends(stray);
      await peer.readToEnd();
    },
  );
});
