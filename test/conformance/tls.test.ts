/**
 * Who the client is, behind nginx and Apache with client certificates: in plain handlers, fetch handlers, Express, Koa and
 * Fastify, over every protocol, every configuration (issue 3, acceptance 3).
 *
 * The configurations are those of docs/front-servers.md. What is right is what the client's own end of its connection says.
 */
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { IDENTITY_APPS, type Told } from "../compat/identity-apps.ts";
import { CLIENT_SUBJECT, pem } from "../support/certificates.ts";
import { wayOf } from "../support/engines.ts";
import { FORGED_REQUESTS } from "../support/forgeries.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { AJP_SECRET, CONFIGURATIONS, configurationObstacle } from "../support/front/gateway.ts";
import { askByTls, type TlsAnswer, type TlsQuestion } from "../support/front/tls-client.ts";
import { TlsFronts, type TlsSite } from "../support/front/tls-sites.ts";

/** The whole of 127.0.0.0/8 is this machine: the client's address is not that of anybody else here. */
const CLIENT_ADDRESS = "127.0.0.2";
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;

const fronts = await TlsFronts.prepare();
beforeAll(() => fronts.start());
afterAll(() => fronts.stop());

/** Asks a site, and compares what the application was told with what the client knows itself. */
async function expectTold(site: TlsSite, question: Omit<TlsQuestion, "port">): Promise<void> {
  const answer = await askByTls({ port: site.port, from: CLIENT_ADDRESS, ...question });
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
  expect(JSON.parse(answer.text)).toEqual(whatClientKnows(site, question.shown, answer));
}

/** Both servers say `FAILED:self-signed certificate` of the stranger; node's code for it is the one here. */
function whatClientKnows(site: TlsSite, shown: TlsQuestion["shown"], answer: TlsAnswer): Told {
  const { protocol, cipher, localPort } = answer;
  const authorized = shown === "client";
  const authorizationError = shown === "stranger" ? "DEPTH_ZERO_SELF_SIGNED_CERT" : null;
  const certificate =
    shown === undefined
      ? {}
      : {
          subject: shown === "client" ? CLIENT_SUBJECT : { CN: "Stranger" },
          fingerprint: new X509Certificate(pem(shown)).fingerprint256,
        };
  return {
    ip: CLIENT_ADDRESS,
    scheme: "https",
    hostname: "localhost",
    remoteAddress: CLIENT_ADDRESS,
    remotePort: localPort,
    localPort: site.port,
    encrypted: true,
    tls: { authorized, authorizationError, protocol, cipher, ...certificate } as Told["tls"] & {},
  };
}

for (const configuration of CONFIGURATIONS) {
  for (const app of IDENTITY_APPS) {
    describe(`${app.name}, ${configuration}`, () => {
      const obstacle = configurationObstacle(configuration) ?? app.obstacle;
      const servers: Server[] = [];
      beforeAll(async () => {
        if (obstacle !== undefined) return;
        const handler = await app.make();
        for (const protocol of PROTOCOLS) {
          const server = serve(handler, {
            protocol,
            ...wayOf(configuration),
            socket: fronts.socket(protocol),
            mode: 0o666,
            ajp: { secret: AJP_SECRET, attributes: /SSL_CLIENT_VERIFY/ },
          });
          servers.push(await server.ready());
        }
      });
      afterAll(async () => {
        for (const server of servers) {
          server.closeAllConnections();
          await server.shutdown();
        }
      });

      for (const site of fronts.sites) {
        const isPlain = app === IDENTITY_APPS[0];
        // Shapes of certificates and verdicts are the socket's business, which is the same for all.
        if (!isPlain && (site.takesAny || site.title.includes("$"))) continue;
        test(`knows the client behind ${site.title}`, async (context) => {
          unlessObstacle(context, site.obstacle ?? obstacle);
          await expectTold(site, { shown: "client" });
        });
        test(`takes no header's word behind ${site.title}`, async (context) => {
          unlessObstacle(context, site.obstacle ?? obstacle);
          for (const headers of FORGED_REQUESTS) {
            await expectTold(site, { shown: "client", headers });
          }
        });
        if (!site.takesAny) continue;
        test(`does not take a stranger for a client behind ${site.title}`, async (context) => {
          unlessObstacle(context, site.obstacle ?? obstacle);
          for (const headers of [{}, ...FORGED_REQUESTS]) {
            await expectTold(site, { shown: "stranger", headers });
          }
        });
        test(`nor one without a certificate behind ${site.title}`, async (context) => {
          unlessObstacle(context, site.obstacle ?? obstacle);
          for (const headers of [{}, ...FORGED_REQUESTS]) {
            await expectTold(site, { headers });
          }
        });
      }
    });
  }
}

test("the front servers had nothing to complain of", () => {
  expect(fronts.complaints([])).toEqual([]);
});
