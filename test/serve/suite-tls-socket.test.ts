/**
 * The socket of a client that came by TLS: what tls.TLSSocket says, from what the front server says.
 * One of the behaviour suites: over each protocol and engine. What node's own TLS server says is asked in the same run.
 */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { describe, expect } from "vitest";
import type { RequestOptions } from "../../src/client/client.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { CLIENT_SUBJECT, PEM_SHAPES, pem } from "../support/certificates.ts";
import { nodeTls, type Shown, type SocketTls, socketTls } from "../support/tls-facts.ts";
import type { FramedProtocol } from "../support/transcript.ts";

const json = (value: unknown): string => JSON.stringify(value);

/** A request as a front server sends it whose client came by TLS; AJP says the verdict by an attribute, if at all. */
function overTls(
  protocol: FramedProtocol,
  { verify, ...params }: Readonly<Record<string, string>>,
): RequestOptions {
  const all = { HTTPS: "on", ...params };
  if (verify === undefined) return { params: all };
  if (protocol === "ajp") return { params: all, attributes: { SSL_CLIENT_VERIFY: verify } };
  return { params: { ...all, SSL_CLIENT_VERIFY: verify } };
}

const seen: { tls?: SocketTls } = {};
const look = (req: IncomingMessage, res: { end(): void }): void => {
  seen.tls = socketTls(req);
  res.end();
};
const attributes = { ajp: { attributes: /SSL_CLIENT_VERIFY/ } };

describe("req.socket of a client that came by TLS", () => {
  const verdicts: readonly [what: string, shown: Shown, verify: string][] = [
    ["a verified certificate", "client", "SUCCESS"],
    ["a certificate that nobody vouches for", "stranger", "FAILED:self-signed certificate"],
    ["no certificate", undefined, "NONE"],
  ];
  for (const [what, shown, verify] of verdicts) {
    behaviour(
      `answers as tls.TLSSocket does: ${what}`,
      look,
      async ({ request, protocol }) => {
        const expected = await nodeTls(shown);
        // node finds the issuer in its own store; the front server sends the chain along.
        const chain = { client: pem("client") + pem("authority"), stranger: pem("stranger") };
        await request(
          overTls(protocol, {
            verify,
            SSL_PROTOCOL: "TLSv1.3",
            SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
            ...(shown === undefined ? {} : { SSL_CLIENT_CERT: chain[shown] }),
          }),
        );
        expect(seen.tls).toEqual(expected);
        expect(seen.tls?.authorized).toBe(shown === "client");
      },
      attributes,
    );
  }

  for (const cipher of ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"]) {
    behaviour(
      `names cipher and protocol as node does: ${cipher}`,
      look,
      async ({ request, protocol }) => {
        const expected = await nodeTls(undefined, cipher);
        await request(overTls(protocol, { SSL_PROTOCOL: "TLSv1.2", SSL_CIPHER: cipher }));
        expect(seen.tls?.cipher).toEqual(expected.cipher);
        expect(seen.tls?.protocol).toBe(expected.protocol);
      },
    );
  }

  for (const [shape, write] of Object.entries(PEM_SHAPES)) {
    behaviour(`reads a certificate ${shape}`, look, async ({ request, protocol }) => {
      await request(overTls(protocol, { SSL_CLIENT_CERT: write(pem("client")) }));
      expect(seen.tls?.certificate.subject).toEqual(CLIENT_SUBJECT);
    });
  }

  behaviour(
    "says null, undefined and {} where the front server says nothing",
    look,
    async ({ request }) => {
      await request({ params: { HTTPS: "on" } });
      const { protocol, cipher, certificate, chain, fingerprint } = seen.tls!;
      expect([protocol, cipher, fingerprint]).toEqual([null, undefined, undefined]);
      expect([certificate, chain]).toEqual([{}, {}]);
      expect([seen.tls!.encrypted, seen.tls!.authorized]).toEqual([true, false]);
    },
  );

  behaviour(
    "is not authorized by a certificate that the front server did not verify, or says nothing of",
    look,
    async ({ request, protocol }) => {
      for (const verify of ["GENEROUS", "NONE", "FAILED", ""]) {
        await request(overTls(protocol, { verify, SSL_CLIENT_CERT: pem("stranger") }));
        const { authorized, authorizationError, certificate } = seen.tls!;
        expect([authorized, authorizationError]).toEqual([false, "CERT_UNTRUSTED"]);
        expect(certificate.subject).toEqual({ CN: "Stranger" });
      }
      for (const [reason, code] of [
        ["certificate has expired", "CERT_HAS_EXPIRED"],
        ["some new reason", "some new reason"],
      ]) {
        await request(overTls(protocol, { verify: `FAILED:${reason}` }));
        expect(seen.tls?.authorizationError).toBe(code);
      }
    },
    attributes,
  );

  behaviour(
    "takes a certificate for verified over AJP, which has no word for it",
    look,
    async ({ request, protocol }) => {
      await request(overTls(protocol, { SSL_CLIENT_CERT: pem("client") }));
      expect(seen.tls?.authorized).toBe(true);
    },
    { only: ["ajp"] },
  );

  behaviour(
    "reads variables under nginx's own names as well",
    look,
    async ({ request }) => {
      const params = {
        REQUEST_SCHEME: "https",
        ssl_client_verify: "SUCCESS",
        ssl_client_escaped_cert: encodeURIComponent(pem("client")),
      };
      await request({ params });
      expect(seen.tls?.authorized).toBe(true);
      expect(seen.tls?.certificate.subject).toEqual(CLIENT_SUBJECT);
    },
    { only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "knows the name that was asked for, a session taken up again, and the server's certificate, where they are sent",
    (req, res) => {
      const socket = req.socket as unknown as TLSSocket & {
        servername: unknown;
      };
      const certificate = socket.getCertificate() as { subject?: unknown };
      res.end(json([socket.servername, socket.isSessionReused(), certificate.subject ?? null]));
    },
    async ({ text }) => {
      expect(JSON.parse(await text({ params: { HTTPS: "on" } }))).toEqual([false, false, null]);
      const more = { SSL_SESSION_RESUMED: "Resumed", SSL_SERVER_CERT: pem("server") };
      const params = { HTTPS: "on", SSL_TLS_SNI: "a.example.test", ...more };
      expect(JSON.parse(await text({ params }))).toEqual([
        "a.example.test",
        true,
        { O: "Postern Tests", CN: "localhost" },
      ]);
      const nginx = { SSL_SERVER_NAME: "a.example.test", SSL_SESSION_REUSED: "r" };
      expect(JSON.parse(await text({ params: { HTTPS: "on", ...nginx } }))).toEqual([
        "a.example.test",
        true,
        null,
      ]);
    },
    { only: ["fastcgi", "scgi"] },
  );
});

describe("req.socket of a client that came without TLS", () => {
  behaviour(
    "is no TLS socket: not encrypted, and without its methods",
    (req, res) => {
      const socket = req.socket as unknown as Record<string, unknown>;
      const methods = ["getPeerCertificate", "getPeerX509Certificate", "getCipher", "getProtocol"];
      res.end(json([socket["encrypted"], ...methods.map((name) => typeof socket[name])]));
    },
    async ({ text }) => {
      // A certificate without TLS is nonsense; it makes nobody known.
      const params = { HTTPS: "off", SSL_CLIENT_CERT: pem("client") };
      const none = Array.from({ length: 4 }, () => "undefined");
      expect(JSON.parse(await text({ params }))).toEqual([false, ...none]);
    },
  );
});
