/**
 * Peers that mean harm, one function each: bytes that no web server sends, or sends never so many of (reliability X-1 to X-10).
 *
 * They end when the server ends them or what they had to say is said. What is answered is connection/transcript's to judge;
 * here it is memory and the others' time that count.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ajpString,
  begin,
  bodyPacket,
  packet,
  pairs,
  params,
  record,
  Type,
  USUAL,
} from "../support/transcript-frames.ts";
import { closed, dial, eachBelow, requestOf, type Scene } from "./faults.ts";

/** How much of each. */
export interface Amounts {
  /** Connections that drip. */
  readonly drips: number;
  /** For how long. */
  readonly dripMs: number;
  readonly neverReading: number;
  readonly stderrMiB: number;
  /** Requests whose input is left unfinished, over all connections. */
  readonly unfinished: number;
  /** Bytes of PARAMS that have no end, if they are taken. */
  readonly paramsBytes: number;
}

/** A hostile peer, or many; resolves when it has done what it came for. */
export type Hostile = (scene: Scene, amounts: Amounts) => Promise<void>;

/** Says bytes piece by piece as they are taken, until all are said or the other side ends. */
async function say(scene: Scene, pieces: Iterable<Uint8Array>): Promise<void> {
  const socket = dial(scene).resume();
  socket.once("end", () => socket.destroy());
  for (const piece of pieces) {
    if (socket.destroyed) break;
    if (socket.write(piece)) continue;
    await new Promise<void>((resolve) => {
      socket.once("drain", resolve).once("close", () => resolve());
    });
  }
  if (!socket.destroyed) await Promise.race([closed(socket), sleep(500)]);
  socket.destroy();
}

const HUGE = 0x7fff_ffff;
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

/** BEGIN_REQUEST of every id there is. */
const manyBegins: Hostile = (scene) =>
  say(
    scene,
    (function* () {
      for (let id = 1; id <= 65_535; id += 64) {
        const ids = Array.from({ length: Math.min(64, 65_536 - id) }, (_, i) => id + i);
        yield Buffer.concat(ids.map((one) => begin(one, { keep: true })));
      }
    })(),
  );

/** PARAMS without end: large pairs, then records of one byte. */
const endlessParams: Hostile = async (scene, { paramsBytes }) => {
  const large = record({
    type: Type.PARAMS,
    content: pairs({ HTTP_X: "x".repeat(30_000), HTTP_Y: "y".repeat(30_000) }),
  });
  const small = Buffer.concat(
    Array.from({ length: 512 }, () => record({ type: Type.PARAMS, content: "\x01" })),
  );
  for (const piece of [large, small]) {
    await say(
      scene,
      (function* () {
        yield begin(1);
        for (let sent = 0; sent < paramsBytes; sent += piece.length) yield piece;
      })(),
    );
  }
};

/** Lengths of two gibibytes, wherever a length may stand. */
const hugeLengths: Hostile = async (scene) => {
  const many = String(2 ** 31);
  const bytes: Readonly<Record<Scene["protocol"], readonly Buffer[]>> = {
    fastcgi: [
      Buffer.concat([
        begin(1),
        record({
          type: Type.PARAMS,
          content: Buffer.concat([u32(HUGE | 0x8000_0000), u32(HUGE | 0x8000_0000)]),
        }),
      ]),
      Buffer.concat([begin(1), params(1, { ...USUAL, CONTENT_LENGTH: many })]),
    ],
    scgi: [Buffer.from(`${many}:`), requestOf("scgi", "/count")],
    ajp: [
      Buffer.of(0x12, 0x34, 0xff, 0xff, 2),
      packet(Buffer.concat([Buffer.of(2, 2), Buffer.of(0xff, 0xfe), ajpString("/")])),
    ],
  };
  await eachBelow(200, (i) => say(scene, [bytes[scene.protocol][i % 2]!]), 50);
};

/** A byte now and then, on many connections. */
const drips: Hostile = async (scene, { drips: count, dripMs }) => {
  const bytes = requestOf(scene.protocol, `/${"x".repeat(2_000)}`);
  const sockets = Array.from({ length: count }, () => dial(scene).resume());
  const end = performance.now() + dripMs;
  for (let at = 0; performance.now() < end; at++) {
    const byte = bytes.subarray(at, at + 1);
    for (const socket of sockets) if (!socket.destroyed) socket.write(byte);
    await sleep(100);
  }
  for (const socket of sockets) socket.destroy();
};

/** A large answer is asked for, and not a byte of it is read. */
const neverReading: Hostile = async (scene, { neverReading: count, dripMs }) => {
  const sockets = Array.from({ length: count }, () => {
    const socket = dial(scene).pause();
    socket.write(requestOf(scene.protocol, "/much?100"));
    return socket;
  });
  await sleep(dripMs);
  for (const socket of sockets) socket.destroy();
};

/** A handler that writes its whole misery to FCGI_STDERR. */
const errorFlood: Hostile = async (scene, { stderrMiB }) => {
  await scene.target.ask(scene.protocol, scene.place, `/errors?${stderrMiB}`);
};

/** Requests that are answered and whose input never ends, id after id on kept connections. */
const unfinishedInput: Hostile = async (scene, { unfinished }) => {
  const perConnection = 100;
  await eachBelow(
    Math.ceil(unfinished / perConnection),
    () =>
      say(
        scene,
        (function* () {
          for (let id = 1; id <= perConnection; id++) {
            const said = { ...USUAL, REQUEST_METHOD: "POST", CONTENT_LENGTH: "1000000" };
            yield Buffer.concat([
              begin(id, { keep: true }),
              params(id, said),
              record({ type: Type.STDIN, id, content: "x".repeat(100) }),
            ]);
          }
        })(),
      ),
    10,
  );
};

/** Body packets that are none, come unasked, say another length, or are another request. */
const bodyConfusion: Hostile = async (scene) => {
  const post = requestOf("ajp", "/count", "x".repeat(10)).subarray(0, -16);
  const confusions = [
    packet(Buffer.of(0x1f, 0xfa, 0x61)),
    packet(Buffer.of(0, 1, 0x61, 0x61, 0x61)),
    Buffer.concat(Array.from({ length: 10 }, () => bodyPacket("x".repeat(8_000)))),
    requestOf("ajp", "/"),
    Buffer.concat(Array.from({ length: 500 }, () => packet(""))),
    packet(Buffer.of(0xff)),
  ];
  await eachBelow(
    300,
    (i) => say(scene, [Buffer.concat([post, confusions[i % confusions.length]!])]),
    30,
  );
};

/** GET_VALUES, records of unknown types and of nobody. */
const managementFlood: Hostile = (scene) =>
  say(
    scene,
    (function* () {
      const values = record({
        type: Type.GET_VALUES,
        id: 0,
        content: pairs({ FCGI_MAX_CONNS: "" }),
      });
      const unknown = record({ type: 77, id: 0, content: "x" });
      const nobodys = record({ type: Type.STDIN, id: 9, content: "x".repeat(1_000) });
      for (let i = 0; i < 1_000; i++) {
        yield Buffer.concat(Array.from({ length: 100 }, () => [values, unknown, nobodys][i % 3]!));
      }
    })(),
  );

/** All of them, by name, and the protocols that they speak. */
export const HOSTILE: Readonly<Record<string, readonly [Hostile, ...Scene["protocol"][]]>> = {
  "65,535 BEGINs": [manyBegins, "fastcgi"],
  "endless PARAMS": [endlessParams, "fastcgi"],
  "lengths of 2^31": [hugeLengths, "fastcgi", "scgi", "ajp"],
  "a byte now and then": [drips, "fastcgi", "scgi", "ajp"],
  "never reading": [neverReading, "fastcgi", "scgi", "ajp"],
  "a flood of errors": [errorFlood, "fastcgi", "scgi", "ajp"],
  "unfinished STDIN": [unfinishedInput, "fastcgi"],
  "confused bodies": [bodyConfusion, "ajp"],
  "a flood of management records": [managementFlood, "fastcgi"],
};
