/**
 * A server that has too much to do, in every protocol and configuration: what is refused, how it says so, and what is still
 * answered. What one refusal looks like on the wire is test/connection's.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import { ageMsOf } from "../../src/connection/admission.ts";
import { ERRORS } from "../../src/errors.ts";
import type { RequestHead } from "../../src/http/head.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import { connectionsOf, Latch, readAll, until } from "../support/behaviour.ts";
import { begin, forward, netstring, params as paramsOf, stdin } from "../support/frames.ts";
import { ServerRoom } from "../support/server-room.ts";
import { eachEngine } from "../support/transcript.ts";

const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;
const ANY = ["fastcgi", "scgi", "ajp"] as const;

let room: ServerRoom;
beforeEach(() => {
  room = new ServerRoom();
});
afterEach(() => room.clear());

/** A whole GET. */
function requestBytes(protocol: (typeof PROTOCOLS)[number], url: string): Buffer {
  const fields = [
    ["CONTENT_LENGTH", "0"],
    ["SCGI", "1"],
    ["REQUEST_METHOD", "GET"],
    ["REQUEST_URI", url],
    ["SERVER_PROTOCOL", "HTTP/1.1"],
  ] as const;
  if (protocol === "ajp") return forward({ uri: url });
  if (protocol === "scgi") return netstring(fields);
  return Buffer.concat([begin(), paramsOf(1, fields), stdin(1)]);
}

/** Stands still, as an application does that computes. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

eachEngine("overload", (configuration) => {
  for (const protocol of PROTOCOLS) {
    const place = "unix";

    test(`limits.delay: what waited longer is a 503 with Retry-After, and the next is served · ${protocol}, ${configuration}`, async () => {
      let meanwhile = (): void => undefined;
      const handler: NodeHandler = (req, res) => {
        if (req.url === "/block") {
          meanwhile();
          block(600);
        }
        res.end("hi");
      };
      const limits = { delay: 200 };
      const server = await room.open(configuration, place, handler, { protocol, limits });
      const waiting = await Promise.all(Array.from({ length: 4 }, () => room.dial(server)));
      await until(async () => (await connectionsOf(server)) === 4);
      const answers = waiting.map((socket) => readAll(socket));
      // The kernel has these at once, and the server reads them when its loop turns again.
      meanwhile = (): void => {
        for (const socket of waiting) socket.write(requestBytes(protocol, "/wait"));
      };
      expect((await room.client(server, protocol).request({ url: "/block" })).status).toBe(200);
      for (const text of await Promise.all(answers)) {
        expect(text).toContain("Retry-After");
        expect(text).toContain(protocol === "ajp" ? "\x01\xf7" : "Status: 503");
      }
      const { protocols, errors } = server.figures.counters;
      expect(errors[ERRORS.LIMIT_DELAY.number]).toBe(4);
      expect(protocols[protocol].responses[5]).toBe(4);
      await until(async () => {
        const { status } = await room.client(server, protocol).request();
        return status === 200;
      });
    });

    test(`limits.requests: one more is a 503 with Retry-After, and the status path is answered · ${protocol}, ${configuration}`, async () => {
      const latch = new Latch();
      let began = false;
      const handler: NodeHandler = async (_req, res) => {
        began = true;
        await latch.opened;
        res.end("hi");
      };
      const options = { protocol: ANY, limits: { requests: 1 }, statusPath: "/here" };
      const server = await room.open(configuration, place, handler, options);
      const first = room.client(server, protocol).request();
      await until(() => began);
      const refused = await room.client(server, protocol).request();
      expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "1"]);
      const params = { REMOTE_ADDR: "127.0.0.1" };
      const status = await room.client(server, protocol).request({ url: "/here", params });
      expect(status.status).toBe(200);
      expect(JSON.parse(await status.text()).workers[0].inFlight).toBeGreaterThanOrEqual(1);
      latch.open();
      expect(await (await first).text()).toBe("hi");
    });

    test(`limits.connections: one more is taken to be told 503 or the status, and closed · ${protocol}, ${configuration}`, async () => {
      const latch = new Latch();
      let began = 0;
      const handler: NodeHandler = async (_req, res) => {
        began++;
        await latch.opened;
        res.end("hi");
      };
      const options = { protocol: ANY, limits: { connections: 1 }, statusPath: "/here" };
      const server = await room.open(configuration, place, handler, options);
      const first = room.client(server, protocol).request();
      await until(() => began === 1);
      const refused = await room.client(server, protocol).request();
      expect([refused.status, refused.headers["retry-after"], began]).toEqual([503, "1", 1]);
      const params = { REMOTE_ADDR: "127.0.0.1" };
      const status = await room.client(server, protocol).request({ url: "/here", params });
      expect(JSON.parse(await status.text()).counters).toMatchObject({
        'postern_errors_total{code="ERR_LIMIT_CONNECTIONS"}': 1,
      });
      await until(async () => (await connectionsOf(server)) === 1);
      latch.open();
      expect(await (await first).text()).toBe("hi");
    });

    test(`timeouts.queue: a request that is older by its X-Request-Start is a 503 unseen · ${protocol}, ${configuration}`, async () => {
      let ran = 0;
      const handler: NodeHandler = (_req, res) => {
        ran++;
        res.end("hi");
      };
      const timeouts = { queue: 5_000 };
      const server = await room.open(configuration, place, handler, { protocol: ANY, timeouts });
      const ask = async (agoMs: number): Promise<number> => {
        const headers = { "X-Request-Start": `t=${((Date.now() - agoMs) / 1_000).toFixed(3)}` };
        return (await room.client(server, protocol).request({ headers })).status;
      };
      expect([await ask(0), await ask(20_000), ran]).toEqual([200, 503, 1]);
      expect(server.figures.counters.errors[ERRORS.TIMEOUT_QUEUE.number]).toBe(1);
    });

    test(`a request whose client left while the loop stood still is dropped before it runs · ${protocol}, ${configuration}`, async () => {
      const seen: string[] = [];
      let meanwhile = (): void => undefined;
      const handler: NodeHandler = (req, res) => {
        seen.push(req.url ?? "");
        if (req.url === "/block") {
          meanwhile();
          // Longer than the coarse timer's period, so that it is seen.
          block(900);
        }
        res.end("hi");
      };
      const server = await room.open(configuration, place, handler, { protocol });
      const gone = await room.dial(server);
      await until(async () => (await connectionsOf(server)) === 1);
      // Both are done by the kernel at once: the server reads them when its loop turns again.
      meanwhile = (): void => {
        gone.write(requestBytes(protocol, "/gone"));
        gone.destroy();
      };
      const blocked = await room.client(server, protocol).request({ url: "/block" });
      expect(await blocked.text()).toBe("hi");
      const last = await room.client(server, protocol).request({ url: "/last" });
      expect(await last.text()).toBe("hi");
      expect(seen).toEqual(["/block", "/last"]);
      expect(server.figures.counters.drops).toBe(1);
    });
  }
});

test("X-Request-Start is read in seconds, milliseconds and microseconds, and nonsense is no age", () => {
  const now = 1_700_000_000_000;
  const age = (text: string): number =>
    Math.round(ageMsOf({ rawHeaders: ["Host", "a", "X-Request-Start", text] } as RequestHead, now));
  expect(["t=1699999999.500", "1699999999500", "t=1699999999500000"].map(age)).toEqual([
    500, 500, 500,
  ]);
  expect(["t=", "yesterday", "t=1700000001.000", "t=100000000", "-5"].map(age)).toEqual([
    0, 0, 0, 0, 0,
  ]);
});
