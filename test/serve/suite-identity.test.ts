/**
 * Who the client is: what the front server says, in the places where node and the frameworks look, and by `trust`.
 * One of the behaviour suites: over each protocol and engine.
 */
import type { TLSSocket } from "node:tls";
import { describe, expect } from "vitest";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import type { FetchApplication } from "../../src/serve/application.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { pem } from "../support/certificates.ts";
import { FORGED_SPELLINGS } from "../support/forgeries.ts";
import { type SocketTls, socketTls } from "../support/tls-facts.ts";

const json = (value: unknown): string => JSON.stringify(value);

/** Everything by which an application may know its client. */
function identity(req: GatewayRequest): unknown {
  const { remoteAddress, remotePort, localAddress, localPort } = req.socket;
  const { remoteUser, authType, tls, peer } = req.gateway;
  const { encrypted, authorized } = req.socket as unknown as SocketTls;
  const subject = encrypted ? socketTls(req).certificate.subject : undefined;
  const addresses = { remoteAddress, remotePort, localAddress, localPort, peer };
  return { ...addresses, encrypted, authorized, subject, remoteUser, authType, tls };
}

const GENUINE: Readonly<Record<string, string>> = {
  REMOTE_ADDR: "192.0.2.7",
  REMOTE_PORT: "4711",
  SERVER_ADDR: "192.0.2.1",
  REMOTE_USER: "ann",
  AUTH_TYPE: "Digest",
  HTTPS: "on",
  SSL_PROTOCOL: "TLSv1.2",
  SSL_CLIENT_CERT: pem("client"),
};

describe("no request header makes a client somebody else (H-4)", () => {
  for (const [what, params] of [
    ["who is nobody", { REMOTE_ADDR: "192.0.2.7" }],
    ["who is known", GENUINE],
  ] as const) {
    behaviour(
      what,
      (req, res) => res.end(json(identity(req))),
      async ({ text }) => {
        const genuine = await text({ params });
        for (const headers of FORGED_SPELLINGS) {
          expect(await text({ params, headers }), json(headers)).toBe(genuine);
        }
      },
    );
  }

  const fetcher: FetchApplication = {
    fetch: (request, info) =>
      new Response(json([request.url, info.remoteAddr, info.gateway.remoteUser ?? null])),
  };
  behaviour("nor for a fetch handler", fetcher, async ({ text }) => {
    const headers = { Host: "www.example.test" };
    const params = { REMOTE_ADDR: "192.0.2.7", REMOTE_PORT: "4711" };
    const remote = { transport: "tcp", hostname: "192.0.2.7", port: 4711 };
    const url = "://www.example.test/a?b";
    const genuine = json([`http${url}`, remote, null]);
    const byTls = json([`https${url}`, remote, null]);
    for (const forged of [{}, ...FORGED_SPELLINGS]) {
      const asked = { url: "/a?b", headers: { ...headers, ...forged } };
      expect(await text({ ...asked, params })).toBe(genuine);
      expect(await text({ ...asked, params: { ...params, HTTPS: "on" } })).toBe(byTls);
    }
  });
});

describe("what the front server says is not taken over", () => {
  behaviour(
    "of the user with trust.user false; req.gateway.params still has it",
    (req, res) => {
      const { remoteUser, authType, params } = req.gateway;
      res.end(
        json([remoteUser ?? null, authType ?? null, params["REMOTE_USER"], params["AUTH_TYPE"]]),
      );
    },
    async ({ text }) => {
      expect(JSON.parse(await text({ params: GENUINE }))).toEqual([null, null, "ann", "Digest"]);
    },
    { trust: { user: false } },
  );

  behaviour(
    "of TLS with trust.tls false; req.gateway.params still has it",
    (req, res) => {
      const { tls, params, remoteUser } = req.gateway;
      const { encrypted, getPeerCertificate } = req.socket as TLSSocket;
      res.end(
        json([
          tls === undefined,
          encrypted,
          typeof getPeerCertificate,
          remoteUser,
          params["HTTPS"],
        ]),
      );
    },
    async ({ text }) => {
      const expected = [true, false, "undefined", "ann", "on"];
      expect(JSON.parse(await text({ params: GENUINE }))).toEqual(expected);
    },
    { trust: { tls: false } },
  );

  behaviour(
    "of TLS for a fetch handler's url",
    { fetch: (request) => new Response(new URL(request.url).protocol) },
    async ({ text }) => expect(await text({ params: GENUINE })).toBe("http:"),
    { trust: { tls: false } },
  );

  behaviour(
    "and params has TLS under its CGI names, over AJP too",
    (req, res) => {
      const { SSL_PROTOCOL, SSL_CIPHER, SSL_SESSION_ID, SSL_CLIENT_CERT } = req.gateway.params;
      res.end(json([SSL_PROTOCOL, SSL_CIPHER, SSL_SESSION_ID, SSL_CLIENT_CERT]));
    },
    async ({ text }) => {
      const params = { ...GENUINE, SSL_CIPHER: "AES", SSL_SESSION_ID: "0123" };
      const expected = ["TLSv1.2", "AES", "0123", pem("client")];
      expect(JSON.parse(await text({ params }))).toEqual(expected);
    },
    { trust: { tls: false } },
  );
});
