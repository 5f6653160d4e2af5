/**
 * Header fields through the gateway: what a handler sees of a request is what node:http sees of the same fields, less the
 * documented drops (reliability P-5); what a peer gets in header position is what the handler gave, and not a byte more (P-6).
 * Both engines, all transports, three protocols (P-9). The fields are valid in HTTP; hostile ones are test/conformance.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server as HttpServer } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { PROPERTY_SEED, tried } from "../support/properties.ts";
import { reachOf, ServerRoom } from "../support/server-room.ts";
import { eachEngine } from "../support/transcript.ts";

/** Never handed on (src/http/header-list.ts), and those that the harness sends itself. */
const NOT_OURS: ReadonlySet<string> = new Set(
  "connection keep-alive te trailer transfer-encoding upgrade proxy proxy-connection expect content-length content-type host authorization".split(
    " ",
  ),
);

const name = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/),
    fc.constantFrom(
      "Cookie",
      "X-Forwarded-For",
      "User-Agent",
      "Referer",
      "Accept",
      "If-Match",
      "Via",
    ),
  )
  .filter((one) => !NOT_OURS.has(one.toLowerCase()));
/** Field values without blanks at their ends: those are not part of them (RFC 9110 §5.5). */
const value = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 30,
  })
  .map((text) => text.replace(/^ +| +$/g, ""));
/** Each name once: our client joins repetitions as Apache does; repeated params are test/serve and test/protocols/cgi. */
const fields = fc.uniqueArray(fc.tuple(name, value), {
  maxLength: 8,
  selector: ([one]) => one.toLowerCase(),
});
type Fields = readonly (readonly [string, string])[];

/** What node:http makes of these fields. */
async function asNode(server: HttpServer, given: Fields): Promise<IncomingHttpHeaders> {
  const address = server.address() as { port: number };
  const socket = connect({ port: address.port, host: "127.0.0.1" });
  const heard = once(server, "seen");
  const lines = given.map(([field, text]) => `${field}: ${text}\r\n`).join("");
  socket.end(`GET / HTTP/1.1\r\nHost: h\r\n${lines}Connection: close\r\n\r\n`, "latin1");
  const [headers] = (await heard) as [IncomingHttpHeaders];
  socket.destroy();
  const { connection, ...rest } = headers;
  return connection === undefined ? headers : rest;
}

eachEngine("header fields", (configuration) => {
  describe.each(["fastcgi", "scgi", "ajp"] as const)(`%s · ${configuration}`, (protocol) => {
    const room = new ServerRoom();
    let node: HttpServer;
    let client: () => ClientConnection;
    let seen: IncomingHttpHeaders = {};
    let answered: Fields = [];

    beforeAll(async () => {
      node = createServer((req, res) => {
        node.emit("seen", req.headers);
        res.end();
      }).listen(0, "127.0.0.1");
      await once(node, "listening");
      const handler = (
        req: { headers: IncomingHttpHeaders },
        res: import("node:http").ServerResponse,
      ): void => {
        seen = req.headers;
        for (const [field, text] of answered) res.appendHeader(field, text);
        res.sendDate = false;
        res.end();
      };
      const server = await room.open(configuration, "unix", handler, { protocol });
      const { path } = reachOf(server) as { path: string };
      const make = (): ClientConnection =>
        new ClientConnection({ protocol, address: { socket: path } });
      const kept = make();
      // SCGI has one request a connection.
      client = () => (protocol === "scgi" ? make() : kept);
    });
    afterAll(async () => {
      node.close();
      await room.clear();
    });

    async function ask(headers: Fields): Promise<readonly (readonly [string, string])[]> {
      const response = await client().request({ url: "/", headers: [["Host", "h"], ...headers] });
      await response.text();
      const raw = response.rawHeaders;
      return raw.flatMap((one, i) => (i % 2 === 0 ? [[one, raw[i + 1]!] as const] : []));
    }

    test(`P-5: a handler sees the fields that node:http sees (POSTERN_SEED=${PROPERTY_SEED})`, async () => {
      answered = [];
      const property = fc.asyncProperty(fields, async (given) => {
        await ask(given);
        expect({ ...seen }).toEqual({ ...(await asNode(node, given)) });
      });
      await fc.assert(property, tried(0.05));
    }, 600_000);

    test(`P-6: a peer gets the fields that the handler gave, byte by byte (POSTERN_SEED=${PROPERTY_SEED})`, async () => {
      const property = fc.asyncProperty(fields, async (given) => {
        answered = given;
        const got = (await ask([])).map(([field, text]) => `${field.toLowerCase()}: ${text}`);
        const wanted = given.map(([field, text]) => `${field.toLowerCase()}: ${text}`);
        const own = got.filter((line) => !/^(content-length|status): /.test(line));
        expect(own.sort()).toEqual(wanted.sort());
      });
      await fc.assert(property, tried(0.05));
    }, 600_000);
  });
});
