/**
 * A row that no decoder may write is a mistake of postern's own: reported as such, and only its connection ends.
 * What rows of honest decoders become is for test/connection/transcript/.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { createTypescriptEngine } from "../../src/engine/typescript.ts";
import { InternalError } from "../../src/errors.ts";
import { normalizeOptions } from "../../src/serve/options.ts";
import { Server } from "../../src/server/server.ts";
import { EVENT_WIDTH, EventColumn, RowKind } from "../../src/wire/abi.ts";
import { until } from "../support/behaviour.ts";
import { Room } from "../support/front/ports.ts";
import { fastcgiRequest } from "../support/transcript-frames.ts";

/** First byte of a connection, K or E → the row that its broken decoder writes. */
const BROKEN: Readonly<Record<number, readonly [kind: number, detail: number]>> = {
  75: [99, 0],
  69: [RowKind.ERROR, 9_999],
};

/** An engine whose decoders break their promise on connections that begin so. */
function brokenEngine(engine: Engine): Engine {
  const { ring, tables } = engine;
  return {
    name: engine.name,
    ring,
    tables,
    createDecoder(protocol, options) {
      const decoder = engine.createDecoder(protocol, options);
      return {
        note: (note, id) => decoder.note(note, id),
        get resting(): boolean {
          return decoder.resting;
        },
        decode(start, end) {
          const row = BROKEN[ring.bytes[start]!];
          if (row === undefined) return decoder.decode(start, end);
          tables.events.fill(0, 0, EVENT_WIDTH);
          tables.events[EventColumn.KIND] = row[0];
          tables.events[EventColumn.DETAIL] = row[1];
          return 1;
        },
      };
    },
  };
}

test.each([
  ["K", "unknown kind 99"],
  ["E", "unknown error 9999"],
])(
  "a connection of which %s is read ends, and is reported: %s (ERR_INTERNAL)",
  async (first, why) => {
    const room = new Room("dispatch");
    const errors: unknown[] = [];
    const options = {
      socket: room.file("s"),
      onError: (error: unknown) => void errors.push(error),
    };
    const server = new Server(normalizeOptions(options, {}), {
      choice: { name: "typescript", reason: "broken on purpose" },
      create: (limits) => brokenEngine(createTypescriptEngine(limits)),
    });
    try {
      server.on("request", (_req, res) => res.end("hi"));
      await server.listen().ready();
      const good = connect(options.socket);
      const bad = connect(options.socket);
      let answer = "";
      good.setEncoding("latin1").on("data", (text) => (answer += text));
      bad.resume().write(first);
      await once(bad, "close");
      good.write(fastcgiRequest({ keep: true }));
      await until(() => answer.includes("hi"));
      good.destroy();
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(InternalError);
      expect(errors[0]).toMatchObject({ code: "ERR_INTERNAL" });
      expect((errors[0] as Error).message).toMatch(new RegExp(`${why}.*please report it`));
    } finally {
      server.closeAllConnections();
      await server.shutdown();
      room.remove();
    }
  },
);
