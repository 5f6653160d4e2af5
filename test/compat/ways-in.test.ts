/**
 * Every way in, with the real frameworks: `serve(app)`, `createServer`, server factories, adapters, custom servers.
 *
 * Each application is asked over each protocol in every configuration by our own client, and by plain HTTP through the same
 * server (`protocol: "auto"`), which node:http itself serves: the answers are compared.
 */
import { request as httpRequest } from "node:http";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { serve } from "../../src/serve/serve.ts";
import { Server } from "../../src/server/server.ts";
import { packagesObstacle } from "../support/compat-packages.ts";
import { wayOf } from "../support/engines.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, configurationObstacle } from "../support/front/gateway.ts";
import { Room } from "../support/front/ports.ts";
import { APPLICATIONS, SERVERS } from "./applications.ts";

const PROTOCOLS: readonly ClientProtocol[] = ["fastcgi", "scgi", "ajp"];
/** Of the connection, and of node:http alone. */
const OWN = ["connection", "date", "keep-alive", "transfer-encoding"];
const TEST_MS = 120_000;

const room = new Room("ways-in");
const running: Server[] = [];
let count = 0;
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.shutdown()));
});
afterAll(() => room.remove());

function socketPath(): string {
  count += 1;
  return room.file(`${count}.sock`);
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

function comparable(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.includes(name)));
}

const BODY = '{"name":"Ada"}';
const HEADERS = { host: "app.test", "content-type": "application/json" };

/** Posts to `/echo?x=1` over a protocol. */
async function ask(protocol: ClientProtocol, socket: string): Promise<Answer> {
  const headers = { ...HEADERS, "content-length": String(BODY.length) };
  const asked = { method: "POST", url: "/echo?x=1", headers, body: BODY };
  const response = await request({ protocol, address: { socket }, ...asked });
  const text = await response.text();
  return { status: response.status, headers: comparable({ ...response.headers }), text };
}

/** The same by HTTP. */
function askHttp(socketPath: string): Promise<Answer> {
  return new Promise((done, fail) => {
    const options = {
      socketPath,
      path: "/echo?x=1",
      method: "POST",
      agent: false,
      headers: HEADERS,
    };
    httpRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () =>
        done({ status: response.statusCode!, headers: comparable(response.headers), text }),
      );
    })
      .on("error", fail)
      .end(BODY);
  });
}

/** What a web server must get: the same, and the length of a whole body, also where node:http sends chunks. */
function withLength(answer: Answer): Answer {
  const length = String(Buffer.byteLength(answer.text));
  return { ...answer, headers: { "content-length": length, ...answer.headers } };
}

/** What an application says of its request. */
const ECHO = { url: "/echo?x=1", name: "Ada", same: true };

describe.each(CONFIGURATIONS)("%s", (configuration) => {
  test.for(APPLICATIONS)(
    "serve(app): $name",
    { timeout: TEST_MS },
    async (application, context) => {
      unlessObstacle(
        context,
        packagesObstacle(...application.packages) ?? configurationObstacle(configuration),
      );
      const socket = socketPath();
      let server: Server | undefined;
      const app = await application.make(() => server);
      server = serve(app, { socket, protocol: "auto", ...wayOf(configuration) });
      running.push(server);
      await server.ready();
      const expected = await askHttp(socket);
      expect(expected).toMatchObject({ status: 201, headers: { "x-way": application.name } });
      expect(JSON.parse(expected.text)).toEqual(ECHO);
      for (const protocol of PROTOCOLS)
        expect(await ask(protocol, socket), protocol).toEqual(withLength(expected));
    },
  );

  test.for(SERVERS)("$name", { timeout: TEST_MS }, async (way, context) => {
    unlessObstacle(
      context,
      packagesObstacle(...way.packages) ?? configurationObstacle(configuration),
    );
    const socket = socketPath();
    const { server, close } = await way.open(socket, { protocol: "auto", ...wayOf(configuration) });
    try {
      expect(server).toBeInstanceOf(Server);
      const expected = await askHttp(socket);
      expect(expected.status).toBe(201);
      expect(JSON.parse(expected.text)).toEqual(ECHO);
      for (const protocol of PROTOCOLS)
        expect(await ask(protocol, socket), protocol).toEqual(withLength(expected));
    } finally {
      await close();
    }
    expect(server.listening).toBe(false);
  });
});
