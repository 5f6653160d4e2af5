/**
 * Every row of the table "who sets what", with real configurations: mount prefix, path below it and req.url
 * (issue 2, acceptance 5).
 *
 * All servers run at once, each with one site a row; the rows are in rows.ts and apache-rows.ts. Cherokee, which cannot
 * be installed, is spoken for by its bytes.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Configuration } from "../support/engines.ts";
import { apacheName, fcgidModule, startApache } from "../support/front/apache.ts";
import {
  cherokeeFastcgi,
  cherokeeScgi,
  exchangeBytes,
  recordContents,
} from "../support/front/cherokee.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  CONFIGURATIONS,
  configurationObstacle,
  fileName,
  Gateway,
  gatewayEnvironment,
} from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { ask } from "../support/front/http-client.ts";
import { startLighttpd } from "../support/front/lighttpd.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room } from "../support/front/ports.ts";
import { startScript } from "../support/front/spawned.ts";
import { apacheRows, fcgidRows } from "./apache-rows.ts";
import {
  cherokeeRows,
  haproxyRows,
  lighttpdRows,
  nginxRows,
  type Places,
  type Row,
  type Said,
} from "./rows.ts";

const room = new Room("variables");
const state = room.folder("state", true);
const places: Places = {
  fastcgi: { socket: room.file("fastcgi.sock") },
  scgi: { socket: room.file("scgi.sock") },
  ajp: { socket: room.file("ajp.sock") },
};

const rows = {
  apache: apacheRows(places, room.folder("empty")),
  lighttpd: lighttpdRows(places),
  nginx: nginxRows(places),
  haproxy: haproxyRows,
};
const obstacles = {
  apache: serverObstacle(apacheName()),
  lighttpd: serverObstacle("lighttpd"),
  nginx: serverObstacle("nginx"),
  haproxy: serverObstacle("haproxy"),
};
type ServerName = keyof typeof rows;
const serverNames = Object.keys(rows) as ServerName[];
const fcgidObstacle = serverObstacle(apacheName(), fcgidModule());

const ports = {
  apache: await freePorts(rows.apache.length + CONFIGURATIONS.length),
  lighttpd: await freePorts(rows.lighttpd.length),
  nginx: await freePorts(rows.nginx.length),
  haproxy: await freePorts(rows.haproxy.length),
};
const fcgidPort = (configuration: Configuration): number =>
  ports.apache[rows.apache.length + CONFIGURATIONS.indexOf(configuration)]!;

const fronts: FrontServer[] = [];

/** A document root with mysite.fcgi and .htaccess, and the same again in its folder sub. */
function fcgidSite(configuration: Configuration): { port: number; directives: string[] } {
  const base = room.folder(`fcgid-${fileName(configuration)}`);
  for (const folder of [base, room.folder(`fcgid-${fileName(configuration)}/sub`)]) {
    startScript(room, "mysite.fcgi", gatewayEnvironment(configuration, state), folder);
    const lines = [
      "AddHandler fcgid-script .fcgi",
      "RewriteEngine On",
      "RewriteCond %{REQUEST_FILENAME} !-f",
      "RewriteRule ^(.*)$ mysite.fcgi/$1 [QSA,L]",
    ];
    writeFileSync(join(folder, ".htaccess"), `${lines.join("\n")}\n`);
  }
  const directory = ["  Options +ExecCGI", "  AllowOverride All", "  Require all granted"];
  return {
    port: fcgidPort(configuration),
    directives: [`DocumentRoot ${base}`, `<Directory ${base}>`, ...directory, "</Directory>"],
  };
}

const FCGID = [
  `FcgidIPCDir ${room.file("fcgid-sockets")}`,
  `FcgidProcessTableFile ${room.file("fcgid-table")}`,
  "FcgidMinProcessesPerClass 0",
];

beforeAll(async () => {
  const withPort = <T>(list: readonly T[], name: ServerName): (T & { port: number })[] =>
    list.map((row, index) => ({ ...row, port: ports[name][index]! }));
  if (obstacles.apache === undefined) {
    const sites = fcgidObstacle === undefined ? CONFIGURATIONS.map(fcgidSite) : [];
    const fcgid = fcgidObstacle === undefined ? FCGID : [];
    fronts.push(await startApache(room, [...withPort(rows.apache, "apache"), ...sites], fcgid));
  }
  if (obstacles.lighttpd === undefined) {
    fronts.push(await startLighttpd(room, withPort(rows.lighttpd, "lighttpd")));
  }
  if (obstacles.nginx === undefined) {
    fronts.push(await startNginx(room, withPort(rows.nginx, "nginx")));
  }
  if (obstacles.haproxy === undefined) {
    const sites = withPort(rows.haproxy, "haproxy");
    fronts.push(
      await startHaproxy(
        room,
        sites.map((site) => ({ ...site, address: places.fastcgi })),
      ),
    );
  }
});
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

/** Compares what the application saw with what the row expects. */
function expectRow(row: Row, text: string): void {
  const seen = JSON.parse(text);
  if (row.said !== undefined) {
    const names: readonly (keyof Said)[] = [
      "SCRIPT_NAME",
      "PATH_INFO",
      "REQUEST_URI",
      "SCRIPT_URL",
      "REDIRECT_URL",
    ];
    const { params } = seen.gateway;
    // An empty variable and an absent one say the same.
    const saw = Object.fromEntries(names.map((name) => [name, params[name] ?? ""]));
    const says = Object.fromEntries(names.map((name) => [name, row.said?.[name] ?? ""]));
    expect(saw).toEqual(says);
  }
  const { scriptName, pathInfo } = seen.gateway;
  expect({ scriptName, pathInfo, url: seen.url }).toEqual({
    scriptName: row.scriptName,
    pathInfo: row.pathInfo,
    url: row.url ?? row.path,
  });
}

for (const configuration of CONFIGURATIONS) {
  describe(`variables, ${configuration}`, () => {
    const obstacle = configurationObstacle(configuration);
    const gateways: Gateway[] = [];
    beforeAll(async () => {
      if (obstacle !== undefined) return;
      for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
        const address = places[protocol];
        gateways.push(
          await Gateway.start({ protocol, address, configuration, state, secret: false }),
        );
      }
    });
    afterAll(async () => {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    });

    for (const name of serverNames) {
      for (const [index, row] of rows[name].entries()) {
        test(row.title, async (context) => {
          unlessObstacle(context, obstacles[name] ?? obstacle);
          expectRow(row, (await ask({ port: ports[name][index]!, path: row.path })).text);
        });
      }
    }

    test.for(fcgidRows)("$title", async (row, context) => {
      unlessObstacle(context, fcgidObstacle ?? obstacle);
      const answer = await ask({ port: fcgidPort(configuration), path: row.path });
      expectRow(row, answer.text);
    });

    test.for(cherokeeRows)("$title, over FastCGI and over SCGI", async (row, context) => {
      unlessObstacle(context, obstacle);
      const query = { REQUEST_METHOD: "GET", QUERY_STRING: "x=1", SERVER_PROTOCOL: "HTTP/1.1" };
      const variables = { ...query, HTTPS: "off", REMOTE_USER: "", ...row.said };
      const fastcgi = await exchangeBytes(places.fastcgi, cherokeeFastcgi(variables));
      expectRow(row, bodyOf(recordContents(fastcgi, 6)));
      const scgi = await exchangeBytes(places.scgi, cherokeeScgi(variables));
      expectRow(row, bodyOf(scgi));
    });

    test("Cherokee's zero-filled headers after a request do no harm", async (context) => {
      unlessObstacle(context, obstacle);
      const variables = { REQUEST_METHOD: "GET", REQUEST_URI: "/_page", SCRIPT_URL: "/_page" };
      const bytes = Buffer.concat([cherokeeFastcgi(variables), Buffer.alloc(24)]);
      const answer = await exchangeBytes(places.fastcgi, bytes);
      expect(bodyOf(recordContents(answer, 6))).toBe("hello world");
    });

    test("afterwards the gateways live and nobody complains", () => {
      expect(gateways.map((gateway) => gateway.child.isAlive)).toEqual(gateways.map(() => true));
      expect(gateways.flatMap((gateway) => gateway.unexpectedLines([]))).toEqual([]);
      expect(fronts.flatMap((front) => front.complaints())).toEqual([]);
    });
  });
}

/** What follows the head of a CGI response. */
function bodyOf(response: Buffer): string {
  const end = response.indexOf("\r\n\r\n");
  return response.subarray(end + 4).toString("utf8");
}
