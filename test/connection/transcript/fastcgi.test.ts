/**
 * FastCGI spoken to serve(): kept connections, refusals, roles, error text.
 * Sections are those of the FastCGI specification.
 */
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import { echo, echoed, hello, until } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import { headerOf } from "../../support/transcript-answers.ts";
import {
  begin,
  fastcgiRequest,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../../support/transcript-frames.ts";

describe("a request", () => {
  transcript(
    "is answered with Status first, STDOUT ended, END_REQUEST and a close without KEEP_CONN (§5.1, B-77)",
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
    "with KEEP_CONN leaves the connection to the next one (§5.1, D-3)",
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
    "answers CANT_MPX_CONN to a second request, and the first goes on (§5.5, F-4)",
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
    "ends the connection at the 101st one (ERR_FCGI_REFUSALS, X-1)",
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

describe("roles", () => {
  transcript(
    "an Authorizer may set variables for the front server (§6.3, B-29)",
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
    "is cut at limits.stderrBytes (X-8)",
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
