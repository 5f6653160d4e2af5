/**
 * Who the client is, in the words of each framework without any trust-proxy setting, and what no request header changes.
 *
 * Over every protocol in every configuration, by our own client as front server; what each framework says of the same request
 * over node:http is asked in the same run. Behind real servers with TLS: test/conformance/tls.test.ts.
 */
import { once } from "node:events";
import { createServer, type RequestListener, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import type { Application } from "../../src/serve/application.ts";
import { serve } from "../../src/serve/serve.ts";
import { CLIENT_SUBJECT, pem } from "../support/certificates.ts";
import { FORGED_REQUESTS, FORGED_SPELLINGS } from "../support/forgeries.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, configurationObstacle } from "../support/front/gateway.ts";
import { play } from "../support/transcript.ts";
import { IDENTITY_APPS, type Told } from "./identity-apps.ts";

const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;
const HOST = "www.example.test:8080";

/** What an application says of a request over node:http; a fetch handler has postern's `http` in front, which is node's. */
async function overHttp(app: Application): Promise<Told> {
  const server =
    typeof app === "function"
      ? createServer(app as RequestListener).listen(0, "127.0.0.1")
      : serve(app, { protocol: "http", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asked = httpRequest({ host: "127.0.0.1", port, headers: { Host: HOST }, agent: false });
  asked.end();
  const [response] = await once(asked, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  server.close();
  return JSON.parse(text);
}

for (const app of IDENTITY_APPS) {
  describe(app.name, () => {
    for (const protocol of PROTOCOLS) {
      for (const configuration of CONFIGURATIONS) {
        const obstacle = app.obstacle ?? configurationObstacle(configuration);
        const tell = async (
          script: (
            ask: (
              params: Record<string, string>,
              headers?: Record<string, string>,
            ) => Promise<Told>,
          ) => Promise<void>,
        ): Promise<void> => {
          const handler = await app.make();
          await play({ protocol, handler }, configuration, async ({ address }) => {
            await script(async (params, headers = {}) => {
              const own = { Host: HOST, ...headers };
              const response = await request({ protocol, address, params, headers: own });
              const text = await response.text();
              expect(response.status, text).toBe(200);
              return JSON.parse(text);
            });
          });
        };

        test(`tells what it does over node:http · ${protocol} · ${configuration}`, async (context) => {
          unlessObstacle(context, obstacle);
          const expected = await overHttp(await app.make());
          await tell(async (ask) => {
            const { remoteAddress, remotePort, localPort } = expected;
            const told = await ask({
              REMOTE_ADDR: remoteAddress!,
              REMOTE_PORT: String(remotePort),
              SERVER_PORT: String(localPort),
            });
            expect(told).toEqual(expected);
          });
        });

        test(`takes no header's word · ${protocol} · ${configuration}`, async (context) => {
          unlessObstacle(context, obstacle);
          await tell(async (ask) => {
            const nobody = { REMOTE_ADDR: "192.0.2.7", REMOTE_PORT: "4711" };
            const known = { ...nobody, HTTPS: "on", SSL_CLIENT_CERT: pem("client") };
            const [open, secure] = [await ask(nobody), await ask(known)];
            expect([open.ip, open.scheme, open.hostname]).toEqual([
              "192.0.2.7",
              "http",
              "www.example.test",
            ]);
            expect([open.encrypted, open.tls]).toEqual([false, undefined]);
            expect([secure.ip, secure.scheme]).toEqual(["192.0.2.7", "https"]);
            expect(secure.tls?.subject).toEqual(CLIENT_SUBJECT);
            for (const headers of [...FORGED_SPELLINGS, ...FORGED_REQUESTS]) {
              const forged = JSON.stringify(headers);
              expect(await ask(nobody, headers), forged).toEqual(open);
              expect(await ask(known, headers), forged).toEqual(secure);
            }
          });
        });
      }
    }
  });
}
