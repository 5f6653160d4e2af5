/**
 * Habits of Apache, lighttpd and HAProxy that an application meets (reliability A-6, F-13, B-24 to B-29, B-91, B-104,
 * B-107, B-109). The gateways run in this process, but for the one that lighttpd starts itself.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  CONFIGURATIONS,
  configurationObstacle,
  fileName,
  gatewayEnvironment,
} from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { ask, askRaw } from "../support/front/http-client.ts";
import { Inside } from "../support/front/inside.ts";
import { lighttpdTarget, startLighttpd } from "../support/front/lighttpd.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { startScript } from "../support/front/spawned.ts";
import type { Configuration } from "../support/engines.ts";

const room = new Room("fronts");
const state = room.folder("state", true);
const obstacles = {
  apache: serverObstacle(apacheName()),
  lighttpd: serverObstacle("lighttpd"),
  haproxy: serverObstacle("haproxy"),
};
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;
type Protocol = (typeof PROTOCOLS)[number];

const PORTS = { apache: 5, lighttpd: 5, haproxy: 3 } as const;
const ports = await freePorts(CONFIGURATIONS.length * 13);
/** Ports of one server's sites in one configuration. */
function portsOf(server: keyof typeof PORTS, configuration: Configuration): number[] {
  const at = CONFIGURATIONS.indexOf(configuration) * 13;
  const before = { apache: 0, lighttpd: 5, haproxy: 10 }[server];
  return ports.slice(at + before, at + before + PORTS[server]);
}
const socketOf = (protocol: Protocol, configuration: Configuration): { socket: string } => ({
  socket: room.file(`${protocol}-${fileName(configuration)}.s`),
});
const runnable = CONFIGURATIONS.filter((one) => configurationObstacle(one) === undefined);
const fronts: FrontServer[] = [];
const gateways: Inside[] = [];

function apacheSites(configuration: Configuration) {
  const schemes = { fastcgi: "fcgi", scgi: "scgi", ajp: "ajp" } as const;
  const target = (protocol: Protocol): string =>
    apacheTarget(schemes[protocol], socketOf(protocol, configuration), fileName(configuration));
  const pass = PROTOCOLS.map((protocol) => [`ProxyPass / "${target(protocol)}" retry=0`]);
  const balanced = [
    `<Proxy balancer://b-${fileName(configuration)}>`,
    `  BalancerMember "${target("ajp").replace(/\/$/, "")}" retry=60`,
    "</Proxy>",
    `ProxyPass / balancer://b-${fileName(configuration)}/`,
  ];
  const unsafe = ["HttpProtocolOptions Unsafe", ...pass[2]!];
  return [...pass, balanced, unsafe].map((directives, index) => ({
    port: portsOf("apache", configuration)[index]!,
    directives,
  }));
}

/** A chunked body of three bytes, and one byte behind its last chunk. */
const ONE_MORE =
  "POST /back HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nX";

/** A user whom mod_auth checks: ann with the password secret. */
const USERS = room.file("users");
writeFileSync(USERS, "ann:secret\n", { mode: 0o644 });

function lighttpdSites(configuration: Configuration) {
  const target = lighttpdTarget(socketOf("fastcgi", configuration));
  const open = `${target}, "check-local" => "disable", "fix-root-scriptname" => "enable"`;
  const script = startScript(
    room,
    `spawned-${fileName(configuration)}.fcgi`,
    gatewayEnvironment(configuration, state),
  );
  const spawned = `"bin-path" => "${script}", "socket" => "${room.folder("spawn", true)}/${fileName(configuration)}", "max-procs" => 1, "bin-copy-environment" => ( "PATH" )`;
  const lines = [
    [`fastcgi.server = ( "/" => (( ${open} )) )`],
    [`fastcgi.server = ( "/local" => (( ${target}, "check-local" => "enable" )) )`],
    [
      `fastcgi.server = ( "/" => (( ${open} )) )`,
      'auth.backend = "plain"',
      `auth.backend.plain.userfile = "${USERS}"`,
      'auth.require = ( "/" => ( "method" => "basic", "realm" => "r", "require" => "valid-user" ) )',
    ],
    [
      `fastcgi.server = ( "/" => (( ${target}, "mode" => "authorizer", "check-local" => "disable" )) )`,
    ],
    [
      `fastcgi.server = ( "/" => (( ${spawned}, "check-local" => "disable", "fix-root-scriptname" => "enable" )) )`,
    ],
  ];
  return lines.map((one, index) => ({
    port: portsOf("lighttpd", configuration)[index]!,
    lines: one,
  }));
}

function haproxySites(configuration: Configuration) {
  const address = socketOf("fastcgi", configuration);
  return ["preserve", "delete", "reject"].map((way, index) => ({
    port: portsOf("haproxy", configuration)[index]!,
    address,
    backend: [`option http-restrict-req-hdr-names ${way}`],
  }));
}

beforeAll(async () => {
  for (const configuration of runnable) {
    for (const protocol of PROTOCOLS) {
      const address = socketOf(protocol, configuration);
      gateways.push(await Inside.start(protocol, configuration, address));
    }
  }
  if (obstacles.apache === undefined)
    fronts.push(await startApache(room, runnable.flatMap(apacheSites)));
  if (obstacles.lighttpd === undefined) {
    const sites = runnable.flatMap(lighttpdSites);
    const modules = ["mod_auth", "mod_authn_file"];
    fronts.push(await startLighttpd(room, sites, undefined, modules));
  }
  if (obstacles.haproxy === undefined)
    fronts.push(await startHaproxy(room, runnable.flatMap(haproxySites)));
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  const missing = configurationObstacle(configuration);
  const gatewayOf = (protocol: Protocol): Inside =>
    gateways[runnable.indexOf(configuration) * PROTOCOLS.length + PROTOCOLS.indexOf(protocol)]!;

  describe(`apache ${configuration}`, () => {
    const [fcgi = 0, scgi = 0, ajp = 0, balanced = 0, unsafe = 0] = portsOf(
      "apache",
      configuration,
    );
    const obstacle = obstacles.apache ?? missing;

    test("ajp: a request that is refused leaves its worker in the balancer (A-6)", async (context) => {
      unlessObstacle(context, obstacle);
      expect((await ask({ port: balanced, path: "/count" })).status).toBe(200);
      const bad = await askRaw(
        balanced,
        "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      ).catch(() => ({ status: 0 }));
      expect(bad.status).not.toBe(200);
      const headers = ["X-Long", "l".repeat(2_000)];
      const path = `/echo?${"q".repeat(7_000)}`;
      const large = await ask({ port: balanced, path, headers }).catch(() => undefined);
      expect(large?.status).not.toBe(200);
      const next = await ask({ port: balanced, path: "/count" });
      expect([next.status, Number(next.text) > 0]).toEqual([200, true]);
    });

    for (const [protocol, port] of [
      ["fastcgi", fcgi],
      ["scgi", scgi],
      ["ajp", ajp],
    ] as const) {
      test(`${protocol}: answers before the end of an upload, 200 of them without one reset (F-13)`, async (context) => {
        unlessObstacle(context, obstacle);
        for (let i = 0; i < 200; i += 10) {
          const batch = Array.from({ length: 10 }, () =>
            ask({ port, path: "/missing", upload: { bytes: 3 } }),
          );
          for (const { status, text } of await Promise.all(batch))
            expect([status, text]).toEqual([404, "no such page"]);
        }
      });

      test(`${protocol}: uploads of 1 KiB to 1 MiB come back identical, also with Expect (B-104)`, async (context) => {
        unlessObstacle(context, obstacle);
        for (const bytes of [1_024, 10_240, 102_400, 1_048_576]) {
          for (const headers of [[], ["Expect", "100-continue"]]) {
            const answer = await ask({ port, path: "/back", upload: { bytes }, headers });
            expect([answer.status, answer.bytes]).toEqual([200, bytes]);
          }
        }
      });

      test(`${protocol}: a byte behind the last chunk harms nobody (B-107)`, async (context) => {
        unlessObstacle(context, obstacle);
        const answer = await askRaw(port, ONE_MORE);
        // mod_proxy_scgi takes no chunked body.
        expect(answer.status).toBe(protocol === "scgi" ? 411 : 200);
        expect((await ask({ port, path: "/count" })).status).toBe(200);
      });
    }

    test("ajp, HttpProtocolOptions Unsafe: control bytes in values arrive, odd names do not (B-109, H-3)", async (context) => {
      unlessObstacle(context, obstacle);
      const lines = ["X-Value: a\x01b", "X_Odd: 1", "X.Odd: 1", "X\x01Odd: 1", "__proto__: 1"];
      const text = `GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines.join("\r\n")}\r\n\r\n`;
      const { status } = await askRaw(unsafe, text);
      expect(status).toBe(200);
      const { headers } = gatewayOf("ajp").visit("/echo")!;
      expect(headers["x-value"]).toBe("a\x01b");
      expect(Object.keys(headers).filter((name) => /odd|proto/i.test(name))).toEqual([]);
    });
  });

  describe(`lighttpd fastcgi ${configuration}`, () => {
    const sites = portsOf("lighttpd", configuration);
    const [open = 0, local = 0, auth = 0, authorizer = 0, spawned = 0] = sites;
    const obstacle = obstacles.lighttpd ?? missing;

    test("a file that is not there is lighttpd's 404, and the application sees nothing (B-27)", async (context) => {
      unlessObstacle(context, obstacle);
      const before = gatewayOf("fastcgi").visits.length;
      expect((await ask({ port: local, path: "/local/none" })).status).toBe(404);
      expect(gatewayOf("fastcgi").visits).toHaveLength(before);
    });

    test("a user whom it has checked is the user, and a header of that name is not (B-28, H-4)", async (context) => {
      unlessObstacle(context, obstacle);
      expect((await ask({ port: auth, path: "/echo" })).status).toBe(401);
      const basic = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
      const headers = ["Authorization", basic, "Remote-User", "root"];
      expect((await ask({ port: auth, path: "/echo", headers })).status).toBe(200);
      const { params } = gatewayOf("fastcgi").visit("/echo")!;
      expect([params["REMOTE_USER"], params["AUTH_TYPE"]]).toEqual(["ann", "Basic"]);
    });

    test("an Authorizer refuses, lets pass, and says something to the application behind (B-29)", async (context) => {
      unlessObstacle(context, obstacle);
      const refused = await ask({ port: authorizer, path: "/deny" });
      expect([refused.status, refused.text]).toEqual([403, "denied"]);
      expect(gatewayOf("fastcgi").visit("/deny")!.role).toBe("authorizer");
      // What is let pass is lighttpd's own business: there is no such file.
      expect((await ask({ port: authorizer, path: "/allow" })).status).toBe(404);
    });

    test("the process that it starts ends, and the next request is served by another within seconds (B-24, B-22, B-23)", async (context) => {
      unlessObstacle(context, obstacle);
      const pidOf = async (): Promise<number> =>
        JSON.parse((await ask({ port: spawned, path: "/who" })).text).pid;
      const first = await pidOf();
      process.kill(first, "SIGKILL");
      let second = first;
      await until("another process", async () => {
        second = await pidOf().catch(() => first);
        return second !== first;
      });
      expect(second).not.toBe(first);
    });

    test("a byte behind the last chunk harms nobody (B-107)", async (context) => {
      unlessObstacle(context, obstacle);
      expect((await askRaw(open, ONE_MORE)).status).toBe(200);
      expect((await ask({ port: open, path: "/count" })).status).toBe(200);
    });
  });

  describe(`haproxy fastcgi ${configuration}`, () => {
    const [preserve = 0, remove = 0, reject = 0] = portsOf("haproxy", configuration);
    const obstacle = obstacles.haproxy ?? missing;
    const odd = ["X_One", "1", "Many_Under_Scores_", "2", "Mixed_and-hyphen", "3"];

    test("names with underscores arrive, do not, or are a 403, as it is told (B-91)", async (context) => {
      unlessObstacle(context, obstacle);
      const namesOf = async (port: number): Promise<string[]> => {
        const { status } = await ask({ port, path: "/echo", headers: odd });
        if (status !== 200) return [String(status)];
        const { headers } = gatewayOf("fastcgi").visit("/echo")!;
        return Object.keys(headers)
          .filter((name) => /one|many|mixed/.test(name))
          .sort();
      };
      expect(await namesOf(preserve)).toEqual(["many-under-scores-", "mixed-and-hyphen", "x-one"]);
      expect(await namesOf(remove)).toEqual([]);
      expect(await namesOf(reject)).toEqual(["403"]);
    });

    test("a byte behind the last chunk harms nobody (B-107)", async (context) => {
      unlessObstacle(context, obstacle);
      const answer = await askRaw(preserve, ONE_MORE);
      expect([200, 400]).toContain(answer.status);
      expect((await ask({ port: preserve, path: "/count" })).status).toBe(200);
    });
  });
}
