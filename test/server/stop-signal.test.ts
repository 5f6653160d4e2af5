/**
 * The option `signal`, and `listen`'s: when it aborts, the server stops — before it listens, while it does, with a request in flight.
 */
import { describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import { createServer, serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { Latch, until } from "../support/behaviour.ts";
import { type Configuration, wayOf } from "../support/engines.ts";
import { Room } from "../support/front/ports.ts";
import { eachEngine } from "../support/transcript.ts";

/** What a server says, in order. */
function watched(
  configuration: Configuration,
  handler: NodeHandler,
  signal: AbortSignal,
  socket: string,
): [Server, string[]] {
  const said: string[] = [];
  const server = serve(handler, { socket, signal, ...wayOf(configuration) });
  for (const name of ["listening", "close"] as const) server.on(name, () => said.push(name));
  server.on("error", (error: Error) => said.push(`error ${error.message}`));
  return [server, said];
}

const end: NodeHandler = (_req, res) => void res.end();

/** Timers that keep the process. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;

eachEngine("a signal", (configuration) => {
  describe(`a signal · ${configuration}`, () => {
    test.each([
      ["before serve() is called", true],
      ["right after it", false],
    ])(
      "aborted %s: nothing listens, close once, and ready() rejects (ERR_CLOSED_EARLY)",
      async (_when, isEarly) => {
        const room = new Room("signal");
        const controller = new AbortController();
        if (isEarly) controller.abort();
        const [server, said] = watched(configuration, end, controller.signal, room.file("s"));
        if (!isEarly) controller.abort();
        await expect(server.ready()).rejects.toMatchObject({ code: "ERR_CLOSED_EARLY" });
        await until(() => said.length > 0);
        expect([said, server.listening]).toEqual([["close"], false]);
        room.remove();
      },
    );

    test("aborted while a request is in flight: it is answered, then the server closes", async () => {
      const room = new Room("signal");
      const controller = new AbortController();
      const [began, answer] = [new Latch(), new Latch()];
      const handler: NodeHandler = async (_req, res) => {
        began.open();
        await answer.opened;
        res.end("whole");
      };
      const [server, said] = watched(configuration, handler, controller.signal, room.file("s"));
      await server.ready();
      const client = new ClientConnection({
        protocol: "fastcgi",
        address: { socket: room.file("s") },
      });
      const response = client.request();
      await began.opened;
      controller.abort();
      expect([server.listening, said]).toEqual([false, ["listening"]]);
      answer.open();
      expect(await (await response).text()).toBe("whole");
      client.destroy();
      await until(() => said.includes("close"));
      expect(said).toEqual(["listening", "close"]);
      room.remove();
    });

    test.each([true, false])(
      "listen({ signal }) closes the server as net.Server does (aborted before: %s)",
      async (isEarly) => {
        const controller = new AbortController();
        if (isEarly) controller.abort();
        const server = createServer(wayOf(configuration), (_req, res) => res.end());
        let closed = 0;
        server.on("close", () => closed++);
        server.listen({ port: 0, host: "127.0.0.1", signal: controller.signal });
        if (!isEarly) {
          await server.ready();
          controller.abort();
        }
        await until(() => closed > 0);
        expect([closed, server.listening]).toEqual([1, false]);
      },
    );

    test("close() keeps the process until it has ended: a half-closed socket would not", async () => {
      const room = new Room("signal");
      const began = new Latch();
      const handler: NodeHandler = (_req, res) => {
        res.write("never ends");
        began.open();
      };
      const server = await serve(handler, {
        socket: room.file("s"),
        timeouts: { drain: 100 },
        ...wayOf(configuration),
      }).ready();
      const client = new ClientConnection({
        protocol: "fastcgi",
        address: { socket: room.file("s") },
      });
      client.request().catch(() => undefined);
      await began.opened;
      const before = timers();
      let closed = false;
      server.close(() => {
        closed = true;
      });
      expect(timers()).toBe(before + 1);
      await until(() => closed);
      expect(timers()).toBeLessThanOrEqual(before);
      client.destroy();
      room.remove();
    });
  });
});
