/**
 * HAProxy in front of postern: FastCGI with and without multiplexing, unix socket and TCP, every
 * configuration (issue 2, acceptance 5).
 *
 * HAProxy is the one front server that multiplexes, and the one that refuses a body of unknown length above
 * its buffer. `option abortonclose` lets it notice that a client went away.
 */
import { afterAll, beforeAll } from "vitest";
import { type FrontServer, serverObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS } from "../support/front/gateway.ts";
import { startHaproxy } from "../support/front/haproxy.ts";
import { type Address, freePorts, Room } from "../support/front/ports.ts";
import { describeCell } from "./behaviours.ts";
import type { Traits } from "./cell.ts";

const traits: Traits = {
  chunked: { status: 400, overBytes: 16_384 },
  cookie: "a=1; b=2",
  repeatedResponse: "lines",
  abortWhileWaiting: "while uploading",
  stderrLogged: true,
};

const WAYS = [false, true].flatMap((multiplex) => [
  { multiplex, transport: "unix" },
  { multiplex, transport: "tcp" },
]);

const obstacle = serverObstacle("haproxy");
const room = new Room("haproxy");
const state = room.folder("state", true);
const ports = await freePorts(WAYS.length * 2);
let front: FrontServer;

const addressOf = (index: number): Address =>
  WAYS[index]!.transport === "unix"
    ? { socket: room.file(`g${index}.sock`) }
    : { host: "127.0.0.1", port: ports[WAYS.length + index]! };

beforeAll(async () => {
  if (obstacle !== undefined) return;
  const sites = WAYS.map(({ multiplex }, index) => ({
    port: ports[index]!,
    address: addressOf(index),
    application: multiplex
      ? ["option keep-conn", "option get-values", "option mpxs-conns", "option max-reqs 20"]
      : ["option keep-conn"],
    // A small body of unknown length is collected before it is sent, so that its length is known.
    backend: ["option http-buffer-request", multiplex ? "http-reuse always" : "http-reuse safe"],
  }));
  front = await startHaproxy(room, sites);
});
afterAll(async () => {
  await front?.stop();
  room.remove();
});

for (const configuration of CONFIGURATIONS) {
  for (const [index, { multiplex, transport }] of WAYS.entries()) {
    describeCell({
      title: `haproxy fastcgi ${transport} ${multiplex ? "multiplexing" : "one by one"} ${configuration}`,
      protocol: "fastcgi",
      configuration,
      traits,
      front: () => front,
      port: () => ports[index]!,
      state: () => state,
      gateway: () => ({ address: addressOf(index), words: multiplex ? ["--multiplex"] : [] }),
      obstacle,
    });
  }
}
