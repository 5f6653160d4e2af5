/**
 * Generated FastCGI streams: a few ids at once, each mostly doing what may come next, sometimes not.
 * Records are built here by hand so that wrong ones can be built too.
 */
import { Note } from "../../src/wire/abi.ts";
import { randomLength, randomName, randomValue } from "./fields.ts";
import type { Random } from "./random.ts";
import type { Stream } from "./streams.ts";

const IDS: readonly number[] = [1, 2, 3, 300, 65_535];
const Phase = { IDLE: 0, PARAMS: 1, BODY: 2, DONE: 3 } as const;
const PADDINGS: readonly number[] = [0, 0, 0, 0, 1, 7, 8, 255];
const PARAMS_MAX = 8192;

/** What the generator remembers of an id. */
class Peer {
  phase: number = Phase.IDLE;
  readonly params: Uint8Array = new Uint8Array(PARAMS_MAX);
  paramsLength = 0;
  paramsSent = 0;
}

const peers: readonly Peer[] = IDS.map(() => new Peer());

function record(stream: Stream, random: Random, type: number, id: number, length: number): number {
  const padding = random.pick(PADDINGS);
  stream.byte(random.below(2000) === 0 ? random.below(4) : 1);
  stream.byte(type);
  stream.u16(id);
  stream.u16(length);
  stream.byte(padding);
  stream.byte(random.chance(3) ? 0xaa : 0);
  return padding;
}

function pad(stream: Stream, padding: number): void {
  for (let i = 0; i < padding; i++) stream.byte(0xee);
}

function putLength(peer: Peer, length: number, long: boolean): void {
  if (length >= 128 || long) {
    peer.params[peer.paramsLength++] = 0x80 | (length >> 24);
    peer.params[peer.paramsLength++] = (length >> 16) & 0xff;
    peer.params[peer.paramsLength++] = (length >> 8) & 0xff;
  }
  peer.params[peer.paramsLength++] = length & 0xff;
}

function putPair(peer: Peer, random: Random, name: string, value: string): void {
  if (peer.paramsLength + name.length + value.length + 8 > PARAMS_MAX) return;
  const declared = random.below(300) === 0 ? random.below(0x7fffffff) : value.length;
  putLength(peer, name.length, random.chance(5));
  putLength(peer, declared, random.chance(5));
  for (const text of [name, value]) {
    for (let i = 0; i < text.length; i++) peer.params[peer.paramsLength++] = text.charCodeAt(i);
  }
}

function begin(stream: Stream, random: Random, peer: Peer, id: number, fields?: number): void {
  const role = random.below(100);
  const padding = record(stream, random, 1, id, random.below(200) === 0 ? 4 : 8);
  stream.u16(role < 70 ? 1 : role < 80 ? 2 : role < 95 ? 3 : random.below(10));
  stream.byte(random.below(2));
  for (let i = 0; i < 5; i++) stream.byte(0);
  pad(stream, padding);
  peer.phase = Phase.PARAMS;
  peer.paramsLength = 0;
  peer.paramsSent = 0;
  const pairs = fields ?? random.below(random.chance(15) ? 70 : 8);
  for (let i = 0; i < pairs; i++) putPair(peer, random, randomName(random), randomValue(random));
  if (random.chance(60)) putPair(peer, random, "CONTENT_LENGTH", randomLength(random));
}

function sendParams(stream: Stream, random: Random, peer: Peer, id: number): void {
  const left = peer.paramsLength - peer.paramsSent;
  const length = random.chance(60) ? left : Math.min(left, random.below(40));
  if (length > 0) {
    const padding = record(stream, random, 4, id, length);
    stream.copy(peer.params, peer.paramsSent, peer.paramsSent + length);
    pad(stream, padding);
    peer.paramsSent += length;
  }
  if (peer.paramsSent === peer.paramsLength || random.chance(3)) {
    pad(stream, record(stream, random, 4, id, 0));
    peer.phase = Phase.BODY;
  }
}

function content(stream: Stream, random: Random, type: number, id: number): void {
  const length = random.chance(70) ? random.below(9) : random.below(400);
  const padding = record(stream, random, type, id, length);
  stream.letters(length);
  pad(stream, padding);
}

function sendBody(stream: Stream, random: Random, peer: Peer, id: number): void {
  const way = random.below(100);
  if (way < 45) {
    content(stream, random, 5, id);
  } else if (way < 75) {
    pad(stream, record(stream, random, 5, id, 0));
    if (random.chance(70)) peer.phase = Phase.DONE;
  } else if (way < 85) {
    content(stream, random, 8, id);
  } else if (way < 90) {
    pad(stream, record(stream, random, 8, id, 0));
    peer.phase = Phase.DONE;
  } else if (way < 95) {
    pad(stream, record(stream, random, 2, id, 0));
    peer.phase = Phase.DONE;
  } else if (way < 97) {
    stream.note(Note.UPGRADED, id);
  } else {
    stream.note(Note.ENDED, id);
    if (random.chance(70)) peer.phase = Phase.IDLE;
  }
}

function anything(stream: Stream, random: Random, id: number): void {
  const type = random.pick([9, 9, 9, 32, 10, 11, 0, 99, 1, 2, 3, 4, 5, 6, 8]);
  content(stream, random, type, random.chance(70) && type >= 9 ? 0 : id);
}

/** Large heads close together: more than field table and head area hold at once. */
function crowd(stream: Stream, random: Random): void {
  for (const [which, id] of IDS.entries()) {
    const peer = peers[which]!;
    begin(stream, random, peer, id, 20 + random.below(40));
    while (peer.phase === Phase.PARAMS && !stream.isFull) sendParams(stream, random, peer, id);
  }
}

/** Writes one stream. */
export function generateFastCgi(stream: Stream, random: Random): void {
  for (const peer of peers) peer.phase = Phase.IDLE;
  if (random.chance(4)) crowd(stream, random);
  const ids = 1 + random.below(random.chance(50) ? 1 : IDS.length);
  const tiny = random.below(100) === 0;
  const actions = tiny ? 1500 : 4 + random.below(24);
  for (let i = 0; i < actions && !stream.isFull; i++) {
    const which = random.below(ids);
    const id = IDS[which]!;
    const peer = peers[which]!;
    if (random.below(100) < (tiny ? 0 : 4)) anything(stream, random, id);
    else if (peer.phase === Phase.IDLE) begin(stream, random, peer, id);
    else if (peer.phase === Phase.PARAMS) sendParams(stream, random, peer, id);
    else if (peer.phase === Phase.BODY && tiny) {
      // More rows than a table holds.
      pad(stream, record(stream, random, 5, id, 1));
      stream.byte(0x78);
    } else if (peer.phase === Phase.BODY) sendBody(stream, random, peer, id);
    else if (random.chance(80)) {
      stream.note(Note.ENDED, id);
      peer.phase = Phase.IDLE;
    } else content(stream, random, 5, id);
  }
}
