/**
 * New code by `touch` under the web servers that start postern themselves: mod_fcgid and lighttpd (heritage T2, S4, S5b).
 *
 * Asked all the time, by several clients, through the real servers, while new versions are put in place.
 * No request may fail at the client. A worker of its own beside each process is what makes that sure: the process that the
 * web server knows keeps the socket, and those who knock while the worker changes wait in it.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Configuration } from "../support/engines.ts";
import { apacheName, fcgidModule, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, fileName, gatewayEnvironment, isFull } from "../support/front/gateway.ts";
import { ask } from "../support/front/http-client.ts";
import { startLighttpd } from "../support/front/lighttpd.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { startScript } from "../support/front/spawned.ts";

const TOUCHES = isFull ? 20 : 2;
/** Answers of one version in a row that show that all processes have it. */
const IN_A_ROW = 30;

/** Puts an application of a version in place of the former one, as a deployment does. */
function deploy(folder: string, version: number): void {
  const text = `export default (req, res) => setTimeout(() => res.end("${version}"), 10);\n`;
  writeFileSync(join(folder, "new.mjs"), text);
  renameSync(join(folder, "new.mjs"), join(folder, "app.mjs"));
}

const room = new Room("touch");
const state = room.folder("state", true);
const obstacles = {
  lighttpd: serverObstacle("lighttpd"),
  mod_fcgid: serverObstacle(apacheName(), fcgidModule()),
};
const ways = CONFIGURATIONS.flatMap((configuration) =>
  (["lighttpd", "mod_fcgid"] as const).map((server) => ({ configuration, server })),
);
const ports = await freePorts(ways.length);
const portOf = (index: number): number => ports[index]!;
const folderOf = (server: string, configuration: Configuration): string =>
  room.folder(`${server}-${fileName(configuration)}`);
const fronts: FrontServer[] = [];

/** A script that starts postern with an application of its own. */
function scriptIn(folder: string, configuration: Configuration): string {
  deploy(folder, 0);
  const script = startScript(room, "my.fcgi", gatewayEnvironment(configuration, state), folder);
  const text = readFileSync(script, "utf8").replace(
    /'[^']*conformance\/app\.mjs'/,
    `'${join(folder, "app.mjs")}' method=prefork workers=1`,
  );
  writeFileSync(script, text);
  return script;
}

beforeAll(async () => {
  const sites = { lighttpd: [] as never[], mod_fcgid: [] as never[] } as Record<string, object[]>;
  for (const [index, { configuration, server }] of ways.entries()) {
    const folder = folderOf(server, configuration);
    const script = scriptIn(folder, configuration);
    const port = portOf(index);
    if (server === "lighttpd") {
      const socket = join(room.folder("spawn", true), `${fileName(configuration)}.sock`);
      const host = `"bin-path" => "${script}", "socket" => "${socket}", "max-procs" => 2`;
      sites["lighttpd"]!.push({
        port,
        lines: [`fastcgi.server = ( "/" => (( ${host}, "check-local" => "disable" )) )`],
      });
    } else {
      const directives = [
        `DocumentRoot ${folder}`,
        `<Directory ${folder}>`,
        "  Options +ExecCGI",
        "  Require all granted",
        "  AddHandler fcgid-script .fcgi",
        "</Directory>",
        "RewriteEngine On",
        "RewriteRule ^/(.*)$ /my.fcgi/$1 [QSA,L]",
      ];
      sites["mod_fcgid"]!.push({ port, directives });
    }
  }
  if (obstacles.lighttpd === undefined) {
    fronts.push(await startLighttpd(room, sites["lighttpd"] as never));
  }
  if (obstacles.mod_fcgid === undefined) {
    const fcgid = [
      `FcgidIPCDir ${room.file("fcgid-sockets")}`,
      `FcgidProcessTableFile ${room.file("fcgid-table")}`,
      "FcgidSpawnScoreUpLimit 1000",
    ];
    fronts.push(await startApache(room, sites["mod_fcgid"] as never, fcgid));
  }
});
afterAll(async () => {
  for (const front of fronts) await front.stop();
  room.remove();
});

describe.each(ways.map((way, index) => ({ ...way, index })))(
  "$server · $configuration",
  ({ server, configuration, index }) => {
    test(`${TOUCHES} new versions are served soon, and every request is answered`, async (context) => {
      unlessObstacle(context, obstacles[server]);
      const folder = folderOf(server, configuration);
      const statuses: number[] = [];
      /** The version that answered last, and how often in a row. */
      let last = { version: "", count: 0 };
      let stopped = false;
      const one = async (): Promise<void> => {
        while (!stopped) {
          const { status, text } = await ask({ port: portOf(index), path: "/x" });
          statuses.push(status);
          if (text === last.version) last.count++;
          else last = { version: text, count: 1 };
          await sleep(5);
        }
      };
      const running = [one(), one()];
      for (let version = 0; version <= TOUCHES; version++) {
        if (version > 0) deploy(folder, version);
        await until(
          `version ${version} answers`,
          () => last.version === String(version) && last.count >= IN_A_ROW,
        );
      }
      stopped = true;
      await Promise.all(running);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
    }, 180_000);
  },
);
