/**
 * A table of faults → tests: each on the protocols and places it names, in every configuration, against one target process
 * a configuration; after each the target has to be calm (target.ts).
 */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Configuration } from "../support/engines.ts";
import { isFull } from "../support/front/gateway.ts";
import type { Place } from "../support/server-room.ts";
import { eachEngine, type FramedProtocol } from "../support/transcript.ts";
import {
  bodyPacket,
  fastcgiRequest,
  forwardRequest,
  scgiRequest,
} from "../support/transcript-frames.ts";
import { Target, type TargetOptions } from "./target.ts";
import { PROTOCOLS, SECRET } from "./target-words.ts";

/** What a fault has at hand. */
export interface Scene {
  readonly target: Target;
  readonly configuration: Configuration;
  readonly protocol: FramedProtocol;
  readonly place: Place;
}

/** One row. */
export interface Fault {
  /** A sentence; what happens, and what comes of it. */
  readonly rule: string;
  /** @default all three */
  readonly protocols?: readonly FramedProtocol[];
  /** @default both */
  readonly places?: readonly Place[];
  /** Lines that the target may write. @default none */
  readonly expected?: readonly RegExp[];
  /** Why it is not tested here; "" where it is. */
  readonly obstacle?: string;
  readonly timeoutMs?: number;
  /** All protocols and places at the same time, in one test: for faults that take their time. @default false */
  readonly together?: boolean;
  run(scene: Scene): Promise<void>;
}

/** Makes the tests of a table. */
export function testFaults(title: string, table: readonly Fault[], how: TargetOptions = {}): void {
  eachEngine(title, (configuration) => {
    describe(`${title} · ${configuration}`, () => {
      let target: Target;
      beforeAll(async () => {
        target = await Target.start(configuration, how);
      });
      afterAll(() => target?.stop());
      for (const fault of table) testFault(fault, configuration, () => target);
    });
  });
}

function testFault(fault: Fault, configuration: Configuration, targetNow: () => Target): void {
  const { obstacle = "", timeoutMs = 20_000, together = false } = fault;
  const grid = (fault.protocols ?? PROTOCOLS).flatMap((protocol) =>
    (fault.places ?? (["unix", "tcp"] as const)).map((place) => ({ protocol, place })),
  );
  for (const cells of together ? [grid] : grid.map((cell) => [cell])) {
    const where = together ? [...new Set(cells.map(({ protocol }) => protocol))] : cells.map(named);
    const title = `${fault.rule} · ${where.join(", ")}`;
    test.skipIf(obstacle !== "")(
      obstacle === "" ? title : `${title} (skipped: ${obstacle})`,
      { timeout: isFull ? 10 * timeoutMs : timeoutMs },
      async () => {
        const target = targetNow();
        target.lines.length = 0;
        await Promise.all(cells.map((cell) => fault.run({ target, configuration, ...cell })));
        for (const { protocol, place } of cells) {
          await target.expectCalm(protocol, place, fault.expected);
        }
      },
    );
  }
}

const named = ({ protocol, place }: Pick<Scene, "protocol" | "place">): string =>
  `${protocol} ${place}`;

/** A whole request; with a body a POST. */
export function requestOf(protocol: FramedProtocol, url = "/", body = ""): Buffer {
  const method = body === "" ? "GET" : "POST";
  const params = { REQUEST_METHOD: method, REQUEST_URI: url };
  if (protocol === "fastcgi") return fastcgiRequest({ keep: true, params, body });
  if (protocol === "scgi") return scgiRequest({ params, body });
  const [uri, query] = url.split("?");
  const said = { uri: uri!, secret: SECRET, ...(query === undefined ? {} : { query }) };
  if (body === "") return forwardRequest(said);
  const headers = { "Content-Length": String(body.length) };
  return Buffer.concat([forwardRequest({ ...said, method: 4, headers }), bodyPacket(body)]);
}

/** A socket whose errors are nobody's. */
export function dial({ target, protocol, place }: Scene): Socket {
  const socket = connect({ ...target.reach(protocol, place), allowHalfOpen: true });
  return socket.on("error", () => undefined);
}

/** Resolves when a socket is closed, whatever closed it. */
export function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Does something for each number below a count, so many at a time. */
export async function eachBelow(
  count: number,
  work: (index: number) => Promise<void>,
  atOnce = 25,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}
