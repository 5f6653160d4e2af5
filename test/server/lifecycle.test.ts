/**
 * A server's own words in every configuration: counting connections, closing, listening again, leaving nothing behind.
 * Who is refused is admission.test.ts; what comes of a request that a close meets is test/serve and test/connection.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { serve } from "../../src/serve/serve.ts";
import { connectionsOf, hello, Latch, until } from "../support/behaviour.ts";
import { wayOf } from "../support/engines.ts";
import {
  descriptorCount,
  PLACES,
  reachOf,
  ServerRoom,
  textByHttp,
  textOf,
} from "../support/server-room.ts";
import { forward, netstring } from "../support/frames.ts";
import { begin, params, record, Type } from "../support/transcript-frames.ts";
import { eachEngine } from "../support/transcript.ts";

let room: ServerRoom;
beforeEach(() => {
  room = new ServerRoom();
});
afterEach(() => room.clear());

const SECRET = "a secret of sixteen bytes";
const GET = [
  ["CONTENT_LENGTH", "0"],
  ["SCGI", "1"],
  ["REQUEST_METHOD", "GET"],
  ["REQUEST_URI", "/"],
  ["SERVER_PROTOCOL", "HTTP/1.1"],
] as const;
const REQUESTS = {
  fastcgi: Buffer.concat([
    begin(),
    params(1, Object.fromEntries(GET)),
    record({ type: Type.STDIN }),
  ]),
  scgi: netstring(GET),
  ajp: forward({ attributes: [[0x0c, SECRET]] }),
};

/** Answers at once, or under /slow when it is told to. */
function slowly(): { handler: NodeHandler; began: Latch; answer: Latch } {
  const [began, answer] = [new Latch(), new Latch()];
  const handler: NodeHandler = async (req, res) => {
    if (req.url === "/slow") {
      began.open();
      await answer.opened;
    }
    res.end(req.url);
  };
  return { handler, began, answer };
}

for (const place of PLACES) {
  eachEngine(`a server on ${place}`, (configuration) => {
    describe(`a server on ${place} · ${configuration}`, () => {
      test("counts the connections that are open, whether they spoke or not", async () => {
        const server = await room.open(configuration, place, hello);
        const silent = await Promise.all([1, 2, 3].map(() => room.dial(server)));
        await until(async () => (await connectionsOf(server)) === 3);
        expect(await textOf(room.client(server))).toBe("hi");
        expect(await connectionsOf(server)).toBe(4);
        for (const socket of silent) socket.destroy();
        await until(async () => (await connectionsOf(server)) === 1);
      });

      test.each(Object.keys(REQUESTS) as (keyof typeof REQUESTS)[])(
        "close() leaves who has just come, and has said nothing yet, the time for a request (%s)",
        async (protocol) => {
          const options = { protocol, ajp: { secret: SECRET } };
          const server = await room.open(configuration, place, hello, options);
          const socket = await room.dial(server);
          let text = "";
          socket.setEncoding("latin1").on("data", (part: string) => {
            text += part;
          });
          await until(async () => (await connectionsOf(server)) === 1);
          const closed = Promise.all([once(server, "close"), once(socket, "close")]);
          server.close();
          socket.write(REQUESTS[protocol]);
          await closed;
          expect(text).toContain("hi");
        },
      );

      test("close() ends idle connections, lets what runs finish, and may be followed by listen()", async () => {
        const { handler, began, answer } = slowly();
        const server = await room.open(configuration, place, handler);
        const said: string[] = [];
        server.on("close", () => said.push("close"));
        expect(await textOf(room.client(server))).toBe("/");
        const idle = await room.dial(server);
        await until(async () => (await connectionsOf(server)) === 2);
        const slow = room.client(server).request({ url: "/slow" });
        await began.opened;
        const reach = reachOf(server);
        server.close(() => said.push("callback"));
        await once(idle, "close");
        await until(async () => (await connectionsOf(server)) === 1);
        expect([server.listening, said]).toEqual([false, []]);
        const [error] = await once(connect(reach), "error");
        expect(["ECONNREFUSED", "ENOENT"]).toContain(error.code);
        answer.open();
        expect(await (await slow).text()).toBe("/slow");
        await until(() => said.length === 2);
        expect(said).toEqual(["close", "callback"]);
        await server.listen().ready();
        expect(await textOf(room.client(server))).toBe("/");
      });

      test("closeIdleConnections() ends those without a request, and no others", async () => {
        const { handler, began, answer } = slowly();
        const server = await room.open(configuration, place, handler);
        expect(await textOf(room.client(server))).toBe("/");
        const busy = room.client(server);
        const slow = busy.request({ url: "/slow" });
        await began.opened;
        server.closeIdleConnections();
        await until(async () => (await connectionsOf(server)) === 1);
        answer.open();
        expect(await (await slow).text()).toBe("/slow");
        expect(await textOf(busy)).toBe("/");
      });

      test("shutdown() ends once closeAllConnections() has ended what ran, and may be called twice", async () => {
        const { handler, began } = slowly();
        const server = await room.open(configuration, place, handler, { protocol: "auto" });
        const lost = room.client(server).request({ url: "/slow" });
        const silent = await room.dial(server);
        await began.opened;
        await until(async () => (await connectionsOf(server)) === 2);
        const stopped = [server.shutdown(), server.shutdown()];
        server.closeAllConnections();
        await expect(lost).rejects.toThrow();
        await Promise.all([...stopped, silent.closed || once(silent, "close")]);
        expect([server.listening, await connectionsOf(server)]).toEqual([false, 0]);
      });

      test("close() does not wait for connections that have not said what they speak", async () => {
        const server = await room.open(configuration, place, hello, { protocol: "auto" });
        const silent = await room.dial(server);
        await until(async () => (await connectionsOf(server)) === 1);
        server.close();
        await once(silent, "close");
        await until(async () => (await connectionsOf(server)) === 0);
      });

      test("leaves no descriptor behind: kept, unfinished, silent and HTTP connections, and the server", async () => {
        const round = async (): Promise<void> => {
          const server = await room.open(configuration, place, hello, { protocol: "auto" });
          expect(await textOf(room.client(server))).toBe("hi");
          expect(await textByHttp(server)).toBe("hi");
          await room.dial(server);
          (await room.dial(server)).write(Buffer.concat([begin(1), params(1, {})]));
          await until(async () => (await connectionsOf(server)) === 3);
          server.closeAllConnections();
          await server.shutdown();
          room.hangUp();
        };
        const before = descriptorCount();
        for (let i = 0; i < 3; i++) await round();
        await until(() => descriptorCount() <= before);
      });

      test("is alone: another server of the process goes on when it closes", async () => {
        const first = await room.open(configuration, place, hello);
        const address = room.addressOf(place, "other");
        const other = room.add(
          serve((_req, res) => void res.end("other"), {
            ...address,
            ...wayOf(configuration),
            protocol: "scgi",
          }),
        );
        await other.ready();
        const kept = room.client(first);
        const asked = [textOf(kept), textOf(room.client(other, "scgi"))];
        expect(await Promise.all(asked)).toEqual(["hi", "other"]);
        await other.shutdown();
        expect(await textOf(kept)).toBe("hi");
        await first.shutdown();
        expect(await connectionsOf(first)).toBe(0);
      });
    });
  });
}

eachEngine("a socket file of a living server", (configuration) => {
  test(`a socket file of a living server is not taken over (ERR_SOCKET_LIVE, O-3) · ${configuration}`, async () => {
    const server = await room.open(configuration, "unix", hello);
    const second = serve(hello, { ...room.addressOf("unix"), ...wayOf(configuration) });
    await expect(second.ready()).rejects.toMatchObject({ code: "ERR_SOCKET_LIVE" });
    expect(await textOf(room.client(server))).toBe("hi");
    // Whoever asked whether somebody listens has left again.
    await until(async () => (await connectionsOf(server)) === 1);
  });
});
