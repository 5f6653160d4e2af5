/**
 * Clients that go away in mid-upload, and what that means for the others on the same connection (issue 2,
 * acceptance 5).
 *
 * Only servers that pass an upload on while it comes can show it: nginx and Apache close the connection, HAProxy
 * sends ABORT_REQUEST and keeps it. A handler must never take a broken body for a whole one.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apacheName, apacheTarget, startApache } from "../support/front/apache.ts";
import { type FrontServer, serverObstacle, unlessObstacle } from "../support/front/front-server.ts";
import {
  AJP_SECRET,
  CONFIGURATIONS,
  configurationObstacle,
  fileName,
  Gateway,
} from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { ask, openAnswer, openRequest, readAnswer } from "../support/front/http-client.ts";
import { startNginx } from "../support/front/nginx.ts";
import { freePorts, Room, until } from "../support/front/ports.ts";
import { Relay } from "../support/front/relay.ts";

/** FCGI_ABORT_REQUEST (FastCGI §5.4). */
const ABORT_REQUEST = 2;

const room = new Room("abort");
const state = room.folder("state", true);
const [nginx, fcgi, scgi, ajp, haproxy] = (await freePorts(5)) as [
  number,
  number,
  number,
  number,
  number,
];
const ways = [
  { name: "nginx", protocol: "fastcgi", port: nginx, obstacle: serverObstacle("nginx") },
  { name: "apache", protocol: "fastcgi", port: fcgi, obstacle: serverObstacle(apacheName()) },
  { name: "apache", protocol: "scgi", port: scgi, obstacle: serverObstacle(apacheName()) },
  { name: "apache", protocol: "ajp", port: ajp, obstacle: serverObstacle(apacheName()) },
  { name: "haproxy", protocol: "fastcgi", port: haproxy, obstacle: serverObstacle("haproxy") },
] as const;

const socketOf = (name: string): { socket: string } => ({ socket: room.file(`${name}.sock`) });
const fronts: FrontServer[] = [];

beforeAll(async () => {
  if (ways[0].obstacle === undefined) {
    const directives = ["fastcgi_request_buffering off", "fastcgi_keep_conn on"];
    const address = socketOf("fastcgi");
    const site = { port: nginx, protocol: "fastcgi", address, directives, keepalive: 2 } as const;
    fronts.push(await startNginx(room, [site]));
  }
  if (ways[1].obstacle === undefined) {
    const pass = (scheme: "fcgi" | "scgi" | "ajp", name: string, words = ""): string =>
      `ProxyPass / "${apacheTarget(scheme, socketOf(name), name)}" retry=0 ${words}`;
    const sites = [
      { port: fcgi, directives: [pass("fcgi", "fastcgi", "enablereuse=on")] },
      { port: scgi, directives: [pass("scgi", "scgi")] },
      { port: ajp, directives: [pass("ajp", "ajp", `secret=${AJP_SECRET}`)] },
    ];
    fronts.push(await startApache(room, sites));
  }
  if (ways[4].obstacle === undefined) {
    const site = {
      port: haproxy,
      address: { socket: room.file("relay.sock") },
      application: [
        "option keep-conn",
        "option get-values",
        "option mpxs-conns",
        "option max-reqs 20",
      ],
      backend: ["http-reuse always"],
    };
    fronts.push(await startHaproxy(room, [site]));
  }
});
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  room.remove();
});

const facts = (id: string): Record<string, unknown> => {
  const path = join(state, `${id}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
};

/** A client that sends the first block of an upload and leaves once the handler has seen some of it. */
async function leaveInMidUpload(port: number, id: string): Promise<void> {
  const upload = { bytes: 10_485_760 };
  const request = openRequest({ port, path: `/_collect?id=${id}`, upload });
  await until("the handler reads", () => Number(facts(id)["bytes"]) > 0);
  request.destroy();
  await until(
    "the handler's body ends",
    () => "bodyError" in facts(id) || "bodyEnded" in facts(id),
  );
}

for (const configuration of CONFIGURATIONS) {
  describe(`aborts, ${configuration}`, () => {
    const gateways: Gateway[] = [];
    let relay: Relay | undefined;
    beforeAll(async () => {
      if (configurationObstacle(configuration) !== undefined) return;
      for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
        const words = protocol === "fastcgi" ? ["--multiplex"] : [];
        const address = socketOf(protocol);
        gateways.push(await Gateway.start({ protocol, address, configuration, state, words }));
      }
      relay = await Relay.start(room.file("relay.sock"), socketOf("fastcgi").socket, true);
    });
    afterAll(async () => {
      await relay?.stop();
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    });

    test.for(ways)(
      "$name, $protocol: the body of a client that left is an error, never an end (S-6, B-15)",
      async ({ name, protocol, port, obstacle }, context) => {
        unlessObstacle(context, obstacle ?? configurationObstacle(configuration));
        const id = `${name}-${protocol}-${fileName(configuration)}`;
        await leaveInMidUpload(port, id);
        expect(facts(id)).toHaveProperty("bodyError");
        expect(facts(id)).not.toHaveProperty("bodyEnded");
        expect((await ask({ port, path: "/_page" })).text).toBe("hello world");
      },
    );

    test("haproxy, multiplexing: ABORT_REQUEST ends one request, the others of the connection go on", async (context) => {
      unlessObstacle(context, ways[4].obstacle ?? configurationObstacle(configuration));
      const left = `left-${fileName(configuration)}`;
      await ask({ port: haproxy, path: "/_page" });
      relay?.reset();
      const ids = ["one", "two", "three"].map((name) => `${name}-${fileName(configuration)}`);
      const open = await Promise.all(
        ids.map((id) => openAnswer({ port: haproxy, path: `/_stream?id=${id}&count=1` })),
      );
      await leaveInMidUpload(haproxy, left);
      expect(facts(left)).toHaveProperty("bodyError");
      for (const id of ids) writeFileSync(join(state, `${id}.seen.0`), "");
      const texts = await Promise.all(
        open.map(async ({ response }) => (await readAnswer(response)).text),
      );
      expect(texts).toEqual(ids.map(() => "chunk 0\nend\n"));
      // One connection, opened before, carried all four.
      expect(relay?.connectionCount).toBe(0);
      expect(relay?.openCount).toBe(1);
      const types = recordTypes(Buffer.concat(relay?.received ?? []));
      expect(types.filter((type) => type === ABORT_REQUEST)).toHaveLength(1);
    });

    test("afterwards the gateways live and nobody complains", (context) => {
      unlessObstacle(context, configurationObstacle(configuration));
      expect(gateways.map((gateway) => gateway.child.isAlive)).toEqual([true, true, true]);
      expect(gateways.flatMap((gateway) => gateway.unexpectedLines([]))).toEqual([]);
      // Apache says of a client that left what it says of any body that it cannot read.
      const expected = [/AH01075: .*reading input brigade/, /AH00859/, /AH02822/];
      expect(fronts.flatMap((front) => front.complaints(expected))).toEqual([]);
    });
  });
}

/** Types of the records in a FastCGI stream, in order. */
function recordTypes(stream: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 8 <= stream.length; ) {
    types.push(stream[at + 1]!);
    at += 8 + stream.readUInt16BE(at + 4) + stream[at + 6]!;
  }
  return types;
}
