/**
 * The fields of a Forward Request one at a time and all at once, as a handler sees them (reliability B-49).
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { type Peer, transcript } from "../support/transcript.ts";
import { CPING, CPONG, forwardRequest } from "../support/transcript-frames.ts";

const protocol = "ajp";

/** CPING, a request, its answer as JSON, and CPING again. */
async function exchange(peer: Peer, bytes: Buffer): Promise<{ status: number; body: string }> {
  const pong = CPONG.toString("hex");
  peer.sends(CPING);
  expect(await peer.reads(5)).toBe(pong);
  peer.sends(bytes);
  const answer = await peer.answer();
  expect(answer).toMatchObject({ status: 200, reuse: true });
  peer.sends(CPING);
  expect(await peer.reads(5)).toBe(pong);
  return answer;
}

/** What B-49 names, as a handler sees it. */
const facts: NodeHandler = (req, res) => {
  const { params, attributes, remoteUser, authType, tls } = req.gateway;
  const { remoteAddress, remotePort, localAddress, localPort } = req.socket;
  const seen = { method: req.method, url: req.url, headers: req.headers, params, attributes };
  const socket = { remoteAddress, remotePort, localAddress, localPort };
  res.end(JSON.stringify({ ...seen, remoteUser, authType, tls: tls !== undefined, socket }));
};

interface Fact {
  readonly what: string;
  readonly said: Parameters<typeof forwardRequest>[0];
  readonly seen: object;
}

const FACTS: readonly Fact[] = [
  { what: "a port", said: { port: 8_888 }, seen: { socket: { localPort: 8_888 } } },
  { what: "method 13", said: { method: 13 }, seen: { method: "LOCK" } },
  { what: "a path", said: { uri: "/a/b/c" }, seen: { url: "/a/b/c" } },
  { what: "TLS", said: { tls: true }, seen: { tls: true } },
  {
    what: "a query",
    said: { query: "p1=1&p2=12&p3=123" },
    seen: { url: "/?p1=1&p2=12&p3=123" },
  },
  { what: "a user", said: { remoteUser: "MYUSER" }, seen: { remoteUser: "MYUSER" } },
  {
    what: "addresses in attributes",
    said: { attributes: { AJP_LOCAL_ADDR: "10.3.2.1", AJP_REMOTE_PORT: "34567" } },
    seen: { socket: { localAddress: "10.3.2.1", remotePort: 34_567 } },
  },
  { what: "a header", said: { headers: { "X-Mine": "1" } }, seen: { headers: { "x-mine": "1" } } },
  {
    what: "an attribute that is allowed",
    said: { attributes: { mine: "yes" } },
    seen: { attributes: { mine: "yes" } },
  },
];

describe("a field of a request", () => {
  for (const { what, said, seen } of FACTS) {
    transcript(
      `${what} reaches the handler as it was sent (B-49)`,
      { protocol, handler: facts, ajp: { attributes: /mine/ } },
      async ({ peer }) => {
        const answer = await exchange(peer, forwardRequest(said));
        expect(JSON.parse(answer.body)).toMatchObject(seen);
      },
    );
  }

  transcript(
    "of every kind at once, under a protocol of HTTP/1.x (B-49)",
    { protocol, handler: facts, ajp: { attributes: /mine/ } },
    async ({ peer }) => {
      const all = Object.assign({}, ...FACTS.map(({ said }) => said));
      all.attributes = { mine: "yes", AJP_LOCAL_ADDR: "10.3.2.1", AJP_REMOTE_PORT: "34567" };
      const bytes = Buffer.from(
        forwardRequest(all).toString("latin1").replace("HTTP/1.1", "HTTP/1.x"),
        "latin1",
      );
      const seen = JSON.parse((await exchange(peer, bytes)).body);
      expect(seen).toMatchObject({ method: "LOCK", url: "/a/b/c?p1=1&p2=12&p3=123", tls: true });
      expect(seen).toMatchObject({ remoteUser: "MYUSER", attributes: { mine: "yes" } });
      expect(seen.socket).toEqual({
        remoteAddress: "192.0.2.7",
        remotePort: 34_567,
        localAddress: "10.3.2.1",
        localPort: 8_888,
      });
    },
  );
});
