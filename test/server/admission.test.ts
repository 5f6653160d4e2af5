/**
 * Connections that a server does not take, in every configuration: too many, or of somebody else (reliability H-11).
 * Which addresses a list allows is peers.test.ts. What net.Server does by itself is asked of node:http in the same run.
 */
import { once } from "node:events";
import { createServer as createNodeServer, type Server as HttpServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectionsOf, hello, until } from "../support/behaviour.ts";
import type { Configuration } from "../support/engines.ts";
import { PLACES, type Place, ServerRoom, textOf } from "../support/server-room.ts";
import { eachEngine } from "../support/transcript.ts";

let room: ServerRoom;
beforeEach(() => {
  room = new ServerRoom();
});
afterEach(() => room.clear());

/** The same address for a server of node's. */
async function openNode(place: Place): Promise<HttpServer> {
  const server = room.add(createNodeServer());
  const address = room.addressOf(place, "node");
  server.listen("socket" in address ? { path: address.socket } : address);
  await once(server, "listening");
  return server;
}

/** What a server tells of connections above `maxConnections`, and of a place that is free again. */
async function crowd(server: HttpServer, maxConnections: number): Promise<unknown[]> {
  const told: unknown[] = [];
  server.on("drop", (facts?: { remoteAddress?: string; remoteFamily?: string }) =>
    told.push(["drop", facts?.remoteAddress, facts?.remoteFamily]),
  );
  server.maxConnections = maxConnections;
  const taken = await Promise.all(Array.from({ length: maxConnections }, () => room.dial(server)));
  await until(async () => (await connectionsOf(server)) === maxConnections);
  for (let i = 0; i < 2; i++) {
    const refused = await room.dial(server);
    if (!refused.closed) await once(refused, "close");
    told.push(refused.bytesRead);
  }
  taken[0]?.destroy();
  await until(async () => (await connectionsOf(server)) === maxConnections - 1);
  const last = await room.dial(server);
  await until(async () => (await connectionsOf(server)) === maxConnections);
  told.push(last.destroyed);
  return told;
}

for (const place of PLACES) {
  eachEngine(`a server on ${place}`, (configuration: Configuration) => {
    describe(`a server on ${place} · ${configuration}`, () => {
      test("maxConnections: those above it are closed and told by drop, as by node:http", async () => {
        const expected = await crowd(await openNode(place), 2);
        expect(expected.filter((one) => Array.isArray(one))).toHaveLength(2);
        expect(await crowd(await room.open(configuration, place, hello), 2)).toEqual(expected);
      });

      test("maxConnections: what is no number of connections is taken as node:http takes it", async () => {
        const served = async (server: HttpServer): Promise<unknown[]> => {
          const told: unknown[] = [];
          server.on("drop", () => told.push("drop"));
          for (const most of [0, Number.NaN, null, undefined, -1, Number.POSITIVE_INFINITY]) {
            server.maxConnections = most as number;
            const before = told.length;
            const socket = await room.dial(server);
            await until(async () => told.length > before || (await connectionsOf(server)) === 1);
            told.push(most);
            socket.destroy();
            await until(async () => (await connectionsOf(server)) === 0);
          }
          return told;
        };
        const ours = await room.open(configuration, place, hello);
        expect(await served(ours)).toEqual(await served(await openNode(place)));
      });

      test("a listener of drop that throws keeps no connection open, and others are served", async () => {
        const thrown: unknown[] = [];
        const caught = (error: unknown): void => void thrown.push(error);
        const listeners = process.listeners("uncaughtException");
        process.removeAllListeners("uncaughtException").on("uncaughtException", caught);
        try {
          // Of maxConnections net.Server tells by itself, and leaves such a connection open.
          const isOurs = configuration === "native transport";
          const limits = { connections: isOurs ? 100 : 2 };
          const server = await room.open(configuration, place, hello, { limits });
          const client = room.client(server);
          expect(await textOf(client)).toBe("hi");
          await Promise.all(Array.from({ length: 9 }, () => room.dial(server)));
          await until(async () => (await connectionsOf(server)) === 10);
          if (isOurs) server.maxConnections = 10;
          const mistake = new Error("thrown on drop");
          server.on("drop", () => {
            throw mistake;
          });
          // Together, so that a loop turn has several of them.
          const refused = await Promise.all([1, 2, 3, 4].map(() => room.dial(server)));
          await Promise.all(refused.map((one) => one.closed || once(one, "close")));
          await until(() => thrown.length >= 4);
          expect(thrown).toEqual([mistake, mistake, mistake, mistake]);
          expect([await connectionsOf(server), await textOf(client)]).toEqual([10, "hi"]);
        } finally {
          process.removeListener("uncaughtException", caught);
          for (const one of listeners) process.on("uncaughtException", one);
        }
      });

      test("limits.connections: above its reserve one more is closed unread and told by drop, and a free place is given", async () => {
        const limits = { connections: 2 };
        const server = await room.open(configuration, place, hello, { limits });
        const dropped: unknown[] = [];
        server.on("drop", (facts: { remoteAddress?: string }) => dropped.push(facts.remoteAddress));
        const [first, second] = [room.client(server), room.client(server)];
        expect([await textOf(first), await textOf(second)]).toEqual(["hi", "hi"]);
        // Eight are taken beyond the limit, to be told so: test/observe/overload.test.ts.
        const taken = await Promise.all(Array.from({ length: 8 }, () => room.dial(server)));
        await until(async () => (await connectionsOf(server)) === 10);
        const refused = await room.dial(server);
        if (!refused.closed) await once(refused, "close");
        expect(refused.bytesRead).toBe(0);
        for (const socket of taken) socket.destroy();
        expect(dropped).toEqual([place === "tcp" ? "127.0.0.1" : undefined]);
        second.destroy();
        await until(async () => (await connectionsOf(server)) === 1);
        expect(await textOf(room.client(server))).toBe("hi");
      });
    });
  });
}

eachEngine("trust.peers", (configuration) => {
  test(`trust.peers: others are closed unread, and count no more (X-5) · ${configuration}`, async () => {
    let requests = 0;
    const handler = (_req: unknown, res: { end(text: string): void }): void => {
      requests++;
      res.end("hi");
    };
    const strict = await room.open(configuration, "tcp", handler, {
      trust: { peers: ["192.0.2.1"] },
    });
    const refused = await room.dial(strict);
    if (!refused.closed) await once(refused, "close");
    await expect(textOf(room.client(strict))).rejects.toThrow();
    await until(async () => (await connectionsOf(strict)) === 0);
    expect([refused.bytesRead, requests]).toEqual([0, 0]);
    const trust = { peers: ["127.0.0.0/8"] };
    const open = await room.open(configuration, "tcp", handler, { trust });
    expect([await textOf(room.client(open)), requests]).toEqual(["hi", 1]);
  });
});
