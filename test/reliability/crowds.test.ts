/**
 * Many connections at once: no path of one reaches another (reliability A-8), and numbers of descriptors above 1,024 mean
 * nothing (F-10).
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { hello } from "../support/behaviour.ts";
import { type FramedProtocol, type Peer, transcript } from "../support/transcript.ts";
import { fastcgiRequest, forwardRequest, scgiRequest } from "../support/transcript-frames.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const CONNECTIONS = 200;
/** 50,000 in all at full size. */
const REQUESTS = isFull ? 250 : 10;
const OPEN = 1_100;

/** A path of its own, with escapes of every kind. */
const pathOf = (connection: number, request: number): string =>
  `/%E3%81%82/c${connection}/${"%2F".repeat(connection % 7)}r${request}/%${((request % 128) | 0x80).toString(16)}`;

const requests: Readonly<Record<FramedProtocol, (uri: string) => Buffer>> = {
  fastcgi: (uri) => fastcgiRequest({ keep: true, params: { REQUEST_URI: uri } }),
  scgi: (uri) => scgiRequest({ params: { REQUEST_URI: uri } }),
  ajp: (uri) => forwardRequest({ uri }),
};

const says: NodeHandler = (req, res) => {
  const said = `${req.url} ${req.gateway.pathInfo}`;
  if (req.url!.length % 3 === 0) setImmediate(() => res.end(said, "latin1"));
  else res.end(said, "latin1");
};

describe.each(["fastcgi", "scgi", "ajp"] as const)("over %s", (protocol) => {
  transcript(
    `${CONNECTIONS} connections with paths of their own: each answer has its request's (A-8, D-2)`,
    { protocol, handler: says },
    async ({ connect }) => {
      const one = async (connection: number): Promise<void> => {
        let peer = await connect();
        for (let i = 0; i < (protocol === "scgi" ? 2 : REQUESTS); i++) {
          if (protocol === "scgi" && i > 0) peer = await connect();
          const uri = pathOf(connection, i);
          peer.sends(requests[protocol](uri));
          const { body } = await peer.answer();
          const decoded = Buffer.from(
            uri
              .replaceAll("%", "\\x")
              .replace(/\\x(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
            "latin1",
          ).toString("latin1");
          if (body !== `${uri} ${decoded}`) throw new Error(`${uri} was answered with ${body}`);
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => one(i)));
    },
  );
});

transcript(
  `${OPEN} connections stay open, and each is served, also the last (F-10)`,
  { handler: hello },
  async ({ connect }) => {
    const peers: Peer[] = [];
    for (let i = 0; i < OPEN; i++) peers.push(await connect());
    for (const peer of peers) peer.sends(fastcgiRequest({ keep: true }));
    for (const peer of peers) expect(await peer.answer()).toMatchObject({ status: 200 });
    const last = await connect();
    last.sends(fastcgiRequest());
    expect(await last.answer()).toMatchObject({ body: "hi" });
  },
);
