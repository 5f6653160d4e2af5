/**
 * Names and values of request headers as hostile clients send them (reliability H-1 to H-10), byte by byte, since our
 * client would not.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { type FramedProtocol, transcript } from "../support/transcript.ts";
import {
  begin,
  forwardRequest,
  netstring,
  params,
  stdin,
  USUAL,
} from "../support/transcript-frames.ts";

type Pair = readonly [string, string];
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;

const cgiName = (name: string): string => `HTTP_${name.toUpperCase().replaceAll("-", "_")}`;

/** A request with these headers, spelled as the protocol spells them. */
function requestOf(protocol: FramedProtocol, headers: readonly Pair[], more: readonly Pair[] = []) {
  if (protocol === "ajp") return forwardRequest({ headers: [["Host", "a.test"], ...headers] });
  const cgi = headers.map(([name, value]) => [cgiName(name), value] as const);
  const list: Pair[] = [["CONTENT_LENGTH", "0"], ["SCGI", "1"], ...Object.entries(USUAL)];
  const all = [...list, ...cgi, ...more];
  if (protocol === "scgi") return netstring(all);
  return Buffer.concat([begin(1, { keep: true }), params(1, all), stdin(1)]);
}

/** Everything that a handler can look at, and what is left of copies. */
const seen: NodeHandler = (req, res) => {
  const { params: variables, attributes } = req.gateway;
  const maps = { headers: req.headers, distinct: req.headersDistinct, variables, attributes };
  const soundness = Object.entries(maps).map(([name, map]) => {
    const assigned = Object.assign({}, map) as Record<string, unknown>;
    const spread = { ...map } as Record<string, unknown>;
    const isPlain = [assigned, spread].every(
      (copy) => copy["polluted"] === undefined && typeof copy !== "string",
    );
    return [name, isPlain && ({} as Record<string, unknown>)["polluted"] === undefined];
  });
  const { headers, rawHeaders, url } = req;
  const paths = [req.gateway.scriptName, req.gateway.pathInfo];
  res.end(JSON.stringify({ headers, rawHeaders, url, variables, paths, soundness }));
};

interface Seen {
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly url: string;
  readonly paths: readonly string[];
  readonly soundness: readonly (readonly [string, boolean])[];
}
const read = (answer: { body: string }): Seen => JSON.parse(answer.body);

describe.each(PROTOCOLS)("over %s", (protocol) => {
  transcript(
    "Proxy never arrives, in any spelling, and is in no environment (H-1, B-90, B-101)",
    { protocol, handler: seen },
    async ({ peer, connect }) => {
      for (const value of ["http://evil.test", ""]) {
        const one = value === "" ? await connect() : peer;
        const spellings = protocol === "ajp" ? ["Proxy", "PROXY", "proxy"] : ["Proxy"];
        one.sends(
          requestOf(
            protocol,
            spellings.map((name) => [name, value] as const),
          ),
        );
        const { headers, variables } = read(await one.answer());
        expect(headers).not.toHaveProperty("proxy");
        expect(variables).not.toHaveProperty("HTTP_PROXY");
      }
      expect(process.env["HTTP_PROXY"] ?? process.env["http_proxy"] ?? "").not.toContain("evil");
    },
  );

  transcript(
    "names that objects inherit are only names, in every map and its copies (H-2)",
    { protocol, handler: seen },
    async ({ peer }) => {
      const names = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"];
      const headers = names.map((name) => [name, '{"polluted":1}'] as const);
      peer.sends(requestOf(protocol, headers, headers));
      const { soundness, rawHeaders } = read(await peer.answer());
      expect(soundness).toEqual(soundness.map(([name]) => [name, true]));
      expect(rawHeaders).not.toContain("__proto__");
    },
  );

  for (const character of ["\0", "\r", "\n", "\r\nX-Injected: 1"]) {
    if (protocol === "scgi" && character === "\0") continue;
    transcript(
      `${JSON.stringify(character)} in a header value is a whole 400 (H-8)`,
      { protocol, handler: seen },
      async ({ peer }) => {
        peer.sends(requestOf(protocol, [["X-A", `a${character}b`]]));
        expect(await peer.answer()).toMatchObject({ status: 400 });
        await peer.expectsClose();
      },
    );
  }

  transcript(
    "tabs, DEL and bytes from 0x80 in a header value arrive as they are (H-8, B-60, B-109)",
    { protocol, handler: seen },
    async ({ peer }) => {
      const value = "a\tb\x7f\x80\xff\x01\x1f";
      peer.sends(requestOf(protocol, [["X-A", value]]));
      const body = Buffer.from((await peer.answer()).body, "latin1").toString("utf8");
      expect(read({ body }).headers["x-a"]).toBe(value);
    },
  );

  transcript(
    "cookies that come in several lines are one, joined by a semicolon (H-9, B-10)",
    { protocol, handler: seen },
    async ({ peer }) => {
      const lines = ["Cookie", "X-Forwarded-For", "Foo"].flatMap((name) =>
        ["foo", "bar", "bazz"].map((value) => [name, value] as const),
      );
      peer.sends(requestOf(protocol, lines));
      expect(read(await peer.answer()).headers).toMatchObject({
        cookie: "foo; bar; bazz",
        "x-forwarded-for": "foo, bar, bazz",
        foo: "foo, bar, bazz",
      });
    },
  );

  transcript(
    "cookies that a front server has joined stay as it has joined them (H-9, B-87)",
    { protocol, handler: seen },
    async ({ peer, connect }) => {
      for (const cookie of ["foo=bar;hoge=fuga", "a=1, b=2", "__Host-a=1; __Secure-b=2"]) {
        const one = cookie === "a=1, b=2" ? await connect() : peer;
        one.sends(requestOf(protocol, [["Cookie", cookie]]));
        expect(read(await one.answer()).headers["cookie"]).toBe(cookie);
        if (protocol === "scgi") break;
      }
    },
  );

  transcript(
    "names change in case and in underscores alone: no dot, bracket or blank becomes another sign (H-10)",
    { protocol, handler: seen },
    async ({ peer }) => {
      const odd = ["__Host-x", "a.b", "a[b", "a b", "A~B", "x..y"];
      peer.sends(
        requestOf(
          protocol,
          odd.map((name) => [name, "odd"] as const),
        ),
      );
      const { headers } = read(await peer.answer());
      const kept = Object.keys(headers).filter((name) => headers[name] === "odd");
      // Over CGI an underscore may have been a hyphen; whatever else is odd is no header.
      expect(kept).toEqual(protocol === "ajp" ? [] : ["--host-x"]);
    },
  );

  transcript(
    "two different hosts or authorizations are a 400, equal ones are one (H-3)",
    { protocol, handler: seen },
    async ({ peer, connect }) => {
      const twice = (name: string, ...values: string[]) =>
        requestOf(
          protocol,
          values.map((value) => [name, value] as const),
        );
      peer.sends(twice("Authorization", "Basic a", "Basic b"));
      expect(await peer.answer()).toMatchObject({ status: 400 });
      const same = await connect();
      same.sends(twice("Authorization", "Basic a", "Basic a"));
      expect(read(await same.answer()).headers["authorization"]).toBe("Basic a");
      const hosts = await connect();
      hosts.sends(twice("Host", protocol === "ajp" ? "a.test" : "example.test", "b.test"));
      expect(await hosts.answer()).toMatchObject({ status: 400 });
    },
  );

  for (const [what, nameOf] of [
    ["that look like array indices", (i: number) => `${i * 7919}`],
    ["of one length and one beginning", (i: number) => `K${String(i).padStart(12, "0")}A`],
    ["that differ in their middle alone", (i: number) => `AAAA${String(i).padStart(4, "0")}AAAA`],
  ] as const) {
    transcript(
      `900 names ${what} are read in a few milliseconds (H-7)`,
      { protocol, handler: seen, ajp: { packetSize: 65_536 } },
      async ({ connect }) => {
        const headers = Array.from({ length: 900 }, (_, i) => [nameOf(i), `${i}`] as const);
        const bytes = requestOf(protocol, headers);
        const times: number[] = [];
        for (let i = 0; i < 5; i++) {
          const peer = await connect();
          const began = performance.now();
          peer.sends(bytes);
          const answer = await peer.answer();
          times.push(performance.now() - began);
          const { headers: arrived } = read(answer);
          expect(Object.keys(arrived).length).toBeGreaterThanOrEqual(901);
        }
        // Parsing, JSON and the way back; quadratic work over 900 names would take seconds.
        expect(Math.min(...times)).toBeLessThan(100);
      },
    );
  }
});

describe.each(["fastcgi", "scgi"] as const)("over %s, variables", (protocol) => {
  for (const [name, one, other] of [
    ["REQUEST_METHOD", "GET", "POST"],
    ["REQUEST_URI", "/", "/admin"],
    ["REMOTE_ADDR", "192.0.2.1", "127.0.0.1"],
    ["REMOTE_USER", "ann", "root"],
    ["SCRIPT_NAME", "/a", "/b"],
    ["HTTPS", "on", "off"],
    ["CONTENT_TYPE", "text/plain", "text/html"],
  ] as const) {
    transcript(
      `${name} with two values is a whole 400 (H-5)`,
      { protocol, handler: seen },
      async ({ peer }) => {
        peer.sends(
          requestOf(
            protocol,
            [],
            [
              [name, one],
              [name, other],
            ],
          ),
        );
        expect(await peer.answer()).toMatchObject({ status: 400 });
        await peer.expectsClose();
      },
    );
  }

  transcript(
    "of a path may hold CR, LF and NUL, which get into no header and no URL (H-8, F-2)",
    { protocol, handler: seen },
    async ({ peer }) => {
      const odd = protocol === "scgi" ? "\r\nX-Injected: 1" : "\r\nX-Injected: 1\0";
      const more = [
        ["SCRIPT_NAME", `/s${odd}`],
        ["PATH_INFO", `/p${odd}`],
        ["DOCUMENT_ROOT", odd],
      ] as const;
      peer.sends(requestOf(protocol, [], more));
      const { headers, url, variables, paths } = read(await peer.answer());
      expect(headers).toEqual({ host: "example.test" });
      expect(url).toBe("/");
      expect(variables["SCRIPT_NAME"]).toBe(`/s${odd}`);
      expect(paths).toEqual([`/s${odd}`, `/p${odd}`]);
    },
  );

  transcript(
    "of a thousand requests with the names of settings leave the environment as it is (H-6)",
    { protocol, handler: seen },
    async ({ peer, connect }) => {
      const names = ["NODE_OPTIONS", "LD_PRELOAD", "PATH", "NODE_EXTRA_CA_CERTS", "PHP_VALUE"];
      names.push("PHP_ADMIN_VALUE", "SCRIPT_FILENAME", "UWSGI_FILE", "UWSGI_CHDIR", "POSTERN_FD");
      const before = JSON.stringify(process.env);
      const bytes = requestOf(
        protocol,
        [],
        names.map((name) => [name, "evil"] as const),
      );
      const isKept = protocol === "fastcgi";
      for (let i = 0; i < (isKept ? 1_000 : 100); i++) {
        const one = isKept ? peer : await connect();
        one.sends(bytes);
        expect(await one.answer()).toMatchObject({ status: 200 });
      }
      expect(JSON.stringify(process.env)).toBe(before);
    },
  );
});

transcript(
  "X_A beside X-A over AJP is dropped, and so is every name that could pass for another (H-3, B-91)",
  { protocol: "ajp", handler: seen },
  async ({ peer }) => {
    const odd = ["X_A", "X.A", "X A", "Content_Length", "Transfer_Encoding", "X-A:", "X\x01A"];
    const headers = [["X-A", "real"], ...odd.map((name) => [name, "forged"] as const)] as const;
    peer.sends(requestOf("ajp", headers as readonly Pair[]));
    const { headers: arrived, variables } = read(await peer.answer());
    expect(arrived).toEqual({ host: "a.test", "x-a": "real" });
    expect(Object.values(variables)).not.toContain("forged");
  },
);
