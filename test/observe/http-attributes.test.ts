/**
 * What the diagnostics channels tell of a real request → OpenTelemetry's attributes; and the trace context on its way in.
 */
import { channel } from "node:diagnostics_channel";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RequestEnded, RequestStarted } from "../../src/connection/chronicle.ts";
import { httpAttributes } from "../../src/observe/http-attributes.ts";
import { until } from "../support/behaviour.ts";
import { ServerRoom } from "../support/server-room.ts";
import { eachEngine } from "../support/transcript.ts";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

let room: ServerRoom;
beforeEach(() => {
  room = new ServerRoom();
});
afterEach(() => room.clear());

eachEngine("http attributes", (configuration) => {
  for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
    test(`attributes of a request, and its traceparent in req.headers · ${protocol}, ${configuration}`, async () => {
      const ends: RequestEnded[] = [];
      const hear = (message: unknown): void => void ends.push(message as RequestEnded);
      const begin = (): void => undefined;
      channel("postern:request:start").subscribe(begin);
      channel("postern:request:end").subscribe(hear);
      let trace: unknown;
      try {
        const server = await room.open(
          configuration,
          "unix",
          (req, res) => {
            trace = req.headers["traceparent"];
            res.statusCode = 503;
            res.end();
          },
          { protocol },
        );
        const headers = { Host: "example.test:8443", "User-Agent": "curl/8", traceparent: TRACE };
        const params = { REMOTE_ADDR: "192.0.2.7" };
        const client = room.client(server, protocol);
        await (await client.request({ url: "/a/b?c=d", headers, params })).text();
        await until(() => ends.length > 0);
      } finally {
        channel("postern:request:start").unsubscribe(begin);
        channel("postern:request:end").unsubscribe(hear);
      }
      const [end] = ends;
      const { "client.port": _port, ...shown } = httpAttributes(
        end!.request as RequestStarted,
        end,
      );
      expect([trace, shown]).toEqual([
        TRACE,
        {
          "http.request.method": "GET",
          "url.scheme": "http",
          "url.path": "/a/b",
          "url.query": "c=d",
          "server.address": "example.test",
          "server.port": 8443,
          "client.address": "192.0.2.7",
          "network.protocol.name": "http",
          "network.protocol.version": "1.1",
          "user_agent.original": "curl/8",
          "http.response.status_code": 503,
          "error.type": "503",
        },
      ]);
    });
  }
});

test("unknown methods, TLS, HTTP/2 and aborted requests are named as the conventions say", () => {
  const head = {
    method: "PURGE",
    url: "/",
    httpVersion: "2.0",
    rawHeaders: ["host", "[2001:db8::1]"],
    tls: {},
    remoteAddress: "",
    remotePort: 0,
  };
  const peer = { address: "127.0.0.1", port: 4000 };
  const started = { head, peer } as unknown as RequestStarted;
  const ended = { request: started, status: 0, durationMs: 1, aborted: true };
  expect(httpAttributes(started, ended)).toEqual({
    "http.request.method": "_OTHER",
    "http.request.method_original": "PURGE",
    "url.scheme": "https",
    "url.path": "/",
    "server.address": "2001:db8::1",
    "server.port": 443,
    "network.peer.address": "127.0.0.1",
    "network.peer.port": 4000,
    "network.protocol.name": "http",
    "network.protocol.version": "2",
    "error.type": "aborted",
  });
});
