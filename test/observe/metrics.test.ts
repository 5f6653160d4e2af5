/**
 * What a server shows of itself: the counters of real requests, as JSON, as metrics and at its own path, in every
 * configuration. How the page looks is test/conformance/status-page.test.ts.
 */
import { channel } from "node:diagnostics_channel";
import { get } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { metricsText } from "../../src/observe/metrics.ts";
import { FAMILIES } from "../../src/observe/series.ts";
import { ServerStatus } from "../../src/observe/server-status.ts";
import { countRequests } from "../../src/observe/status-path.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import { openStatus } from "../../src/serve/status-endpoint.ts";
import type { Server } from "../../src/server/server.ts";
import { hello, until } from "../support/behaviour.ts";
import { ServerRoom, textByHttp, textOf } from "../support/server-room.ts";
import { eachEngine } from "../support/transcript.ts";

const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;

let room: ServerRoom;
beforeEach(() => {
  room = new ServerRoom();
});
afterEach(() => room.clear());

const statusOf = (server: Server): ServerStatus =>
  new ServerStatus(server, { version: "1.2.3", id: 1, generation: 1 });

/** A GET of the endpoint by HTTP: status, type and text. */
function ask(
  socketPath: string,
  path: string,
  accept = "*/*",
): Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }> {
  return new Promise((done, fail) => {
    get({ socketPath, path, agent: false, headers: { accept } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    }).on("error", fail);
  });
}

eachEngine("metrics", (configuration) => {
  describe(`metrics · ${configuration}`, () => {
    test("requests, answers, bytes, errors and times are counted by protocol", async () => {
      const handler: NodeHandler = (req, res) => {
        if (req.url === "/fail") throw new Error("as wished");
        res.statusCode = req.url === "/missing" ? 404 : 200;
        res.end("hi");
      };
      const all = [...PROTOCOLS, "http"] as const;
      const server = await room.open(configuration, "unix", handler, {
        protocol: all,
        onError: () => undefined,
      });
      countRequests(server);
      for (const protocol of PROTOCOLS) {
        for (const url of ["/", "/missing", "/fail"]) {
          await (await room.client(server, protocol).request({ url })).text();
        }
      }
      await textByHttp(server);
      const expected = {
        ...Object.fromEntries(
          PROTOCOLS.flatMap((name) => [
            [`postern_requests_total{protocol="${name}"}`, 3],
            ...[2, 4, 5].map((kind) => [
              `postern_responses_total{protocol="${name}",class="${kind}xx"}`,
              1,
            ]),
          ]),
        ),
        'postern_requests_total{protocol="http"}': 1,
        'postern_responses_total{protocol="http",class="2xx"}': 1,
        postern_connections_accepted_total: 10,
        postern_failures_total: 3,
        postern_request_duration_seconds_count: 10,
        'postern_request_duration_seconds_bucket{le="+Inf"}': 10,
      };
      const status = statusOf(server);
      await until(() => status.read().counters["postern_request_duration_seconds_count"] === 10);
      const { counters, queue } = status.read();
      expect(counters).toMatchObject(expected);
      expect(counters["postern_received_bytes_total"]).toBeGreaterThan(9 * 20);
      expect(counters["postern_sent_bytes_total"]).toBeGreaterThan(9 * 20);
      expect(queue).toBe(process.platform === "linux" ? 0 : -1);
    });

    test("times are taken only while somebody wants them", async () => {
      const server = await room.open(configuration, "unix", hello);
      expect(await textOf(room.client(server))).toBe("hi");
      expect(server.figures.counters.timed).toBe(false);
      expect(statusOf(server).read().counters["postern_request_duration_seconds_count"]).toBe(
        undefined,
      );
    });

    test("statusPath is answered to allowed clients, and the application's to all others", async () => {
      const server = await room.open(configuration, "unix", hello, {
        protocol: PROTOCOLS,
        statusPath: "/postern-status",
        statusPeers: ["192.0.2.0/24"],
      });
      const url = "/postern-status?format=json";
      for (const protocol of PROTOCOLS) {
        const from = async (address: string, headers = {}): Promise<string> => {
          const params = { REMOTE_ADDR: address };
          return (await room.client(server, protocol).request({ url, params, headers })).text();
        };
        expect(JSON.parse(await from("192.0.2.9")).protocols).toEqual(PROTOCOLS);
        expect(await from("198.51.100.1")).toBe("hi");
        expect(await from("192.0.2.9", { "X-Forwarded-For": "198.51.100.1" })).toBe("hi");
      }
      expect(await textOf(room.client(server))).toBe("hi");
    });

    test("statusPath is answered in front of a fetch handler as well", async () => {
      const application = { fetch: () => new Response("from fetch") };
      const options = { statusPath: "/s", protocol: "fastcgi" } as const;
      const server = await room.open(configuration, "unix", application as never, options);
      const params = { REMOTE_ADDR: "127.0.0.1" };
      const client = room.client(server);
      const shown = await client.request({ url: "/s", params });
      expect(JSON.parse(await shown.text()).workers).toHaveLength(1);
      expect(await (await client.request({ params })).text()).toBe("from fetch");
    });

    test("diagnostics channels tell of connections, requests and errors", async () => {
      const told: [string, Record<string, unknown>][] = [];
      const names = [
        "connection:open",
        "connection:close",
        "request:start",
        "request:end",
        "error",
      ];
      const stops = names.map((name) => {
        const hear = (message: unknown): void =>
          void told.push([name, message as Record<string, unknown>]);
        channel(`postern:${name}`).subscribe(hear);
        return () => channel(`postern:${name}`).unsubscribe(hear);
      });
      try {
        const handler: NodeHandler = (_req, res) => {
          res.statusCode = 201;
          res.end("hi");
          throw new Error("late");
        };
        const server = await room.open(configuration, "unix", handler, {
          onError: () => undefined,
        });
        const client = room.client(server);
        await (await client.request({ url: "/a" })).text();
        client.destroy();
        // Connections of the test before may still end.
        const all = (wanted: string) =>
          told.filter(([name]) => name === wanted).map(([, message]) => message);
        const of = (name: string): Record<string, unknown> => all(name)[0]!;
        await until(() => all("connection:close").includes(of("connection:open")));
        const counts = ["connection:open", "request:start", "request:end", "error"].map(
          (name) => all(name).length,
        );
        expect(counts).toEqual([1, 1, 1, 1]);
        expect(of("request:end")).toMatchObject({ status: 201, aborted: false });
        expect(of("request:end")["request"]).toBe(of("request:start"));
        expect((of("request:start")["head"] as { url: string }).url).toBe("/a");
        expect(String(of("error")["error"])).toBe("Error: late");
      } finally {
        for (const stop of stops) stop();
      }
    });
  });
});

describe("the endpoint of the option status", () => {
  const lineForms =
    /^(# (HELP|TYPE) [a-z_]+ .+|# EOF|[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?\d+(\.\d+)?(e[+-]?\d+)?)$/;

  test("it has a socket file of its own that only its owner reads, and ends with the server (O-9)", async () => {
    const path = room.room.file("status");
    const server = await room.open("typescript", "unix", hello, { status: path });
    await until(() => ask(path, "/").then(Boolean, () => false));
    expect((await import("node:fs")).statSync(path).mode & 0o777).toBe(0o600);
    expect(await textOf(room.client(server))).toBe("hi");
    const { headers, text } = await ask(path, "/");
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    expect(JSON.parse(text).counters['postern_requests_total{protocol="fastcgi"}']).toBe(1);
    await room.clear();
    await until(() =>
      ask(path, "/").then(
        () => false,
        () => true,
      ),
    );
  });

  test("formats: the page for browsers, metrics for Prometheus, and nothing unknown", async () => {
    const path = room.room.file("status");
    await room.open("typescript", "unix", hello, { status: path });
    await until(() => ask(path, "/").then(Boolean, () => false));
    const typed = async (...words: [string, string?]): Promise<unknown> => {
      const { status, headers } = await ask(path, ...words);
      return [status, headers["content-type"]];
    };
    expect(await typed("/", "text/html,*/*")).toEqual([200, "text/html; charset=utf-8"]);
    expect(await typed("/metrics")).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const open = "application/openmetrics-text; version=1.0.0";
    expect(await typed("/metrics", open)).toEqual([200, `${open}; charset=utf-8`]);
    expect(await typed("/?format=script")).toEqual([200, "text/javascript; charset=utf-8"]);
    expect(await typed("/?format=xml")).toEqual([404, "text/plain; charset=utf-8"]);
    for (const wrong of ["/favicon.ico", "/metrics/", "//"]) {
      expect(await typed(wrong)).toEqual([404, "text/plain; charset=utf-8"]);
    }
    expect((await ask(path, "/nothing")).text).toBe(
      "The status is at /, the metrics are at /metrics.\n",
    );
  });

  test("both metrics formats keep to their grammar, and name every family once", async () => {
    const server = await room.open("typescript", "unix", hello);
    expect(await textOf(room.client(server))).toBe("hi");
    const status = { ...statusOf(server).read(), engine: 'a"b\\c\nd' };
    for (const format of ["prometheus", "openmetrics"] as const) {
      const text = metricsText(status, format);
      expect(
        text
          .trimEnd()
          .split("\n")
          .filter((line) => !lineForms.test(line)),
      ).toEqual([]);
      expect(text).toContain('engine="a\\"b\\\\c\\nd"');
      const types = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
      expect(new Set(types).size).toBe(types.length);
      expect(types.length).toBeGreaterThan(FAMILIES.length + 10);
      expect(text.endsWith("# EOF\n")).toBe(format === "openmetrics");
      const family = format === "openmetrics" ? "postern_requests" : "postern_requests_total";
      expect(text).toContain(
        `# TYPE ${family} counter\npostern_requests_total{protocol="fastcgi"} 1\n`,
      );
    }
  });

  test("an address that other machines reach is refused with a sentence, and so is nonsense", async () => {
    const refused = async (text: string): Promise<string> =>
      Promise.resolve()
        .then(() => openStatus(text, () => ({}) as never))
        .then(
          () => "opened",
          (error: Error) => error.message,
        );
    expect(await refused("0.0.0.0:9100")).toMatch(
      /^status is "0\.0\.0\.0:9100", which other machines reach/,
    );
    expect(await refused("nowhere")).toMatch(/^status is "nowhere"; it takes/);
    expect(await refused("127.0.0.1:99999")).toMatch(/^status is/);
  });
});
