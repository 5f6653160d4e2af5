/**
 * Generated AJP streams: Forward Requests, the body packets that are due, probes, and packets that are not due.
 * Packets are built here by hand so that wrong ones can be built too.
 */
import { Note } from "../../src/wire/abi.ts";
import { randomLength, randomName, randomValue } from "./fields.ts";
import type { Random } from "./random.ts";
import type { Stream } from "./streams.ts";

const METHODS: readonly number[] = [1, 2, 2, 2, 3, 4, 4, 4, 5, 6, 7, 27, 255];

function string(stream: Stream, random: Random, text: string): void {
  if (random.chance(4)) {
    stream.u16(0xffff);
    return;
  }
  stream.u16(random.below(400) === 0 ? text.length + 1 : text.length);
  stream.text(text);
  stream.byte(random.below(400) === 0 ? 1 : 0);
}

function header(stream: Stream, random: Random): void {
  const way = random.below(100);
  if (way < 40) {
    stream.u16(0xa000 | (1 + random.below(14)));
    string(stream, random, randomValue(random));
  } else if (way < 60) {
    if (random.chance(70)) stream.u16(0xa008);
    else
      string(stream, random, random.pick(["Content-Length", "content-length", "CONTENT-LENGTH"]));
    string(stream, random, randomLength(random));
  } else if (way < 66) {
    string(stream, random, random.pick(["Transfer-Encoding", "transfer-encoding"]));
    string(stream, random, "chunked");
  } else if (way < 67) {
    stream.u16(0xa000 | random.below(256));
    string(stream, random, randomValue(random));
  } else {
    string(stream, random, randomName(random) || "X");
    string(stream, random, randomValue(random));
  }
}

function attribute(stream: Stream, random: Random): void {
  const way = random.below(100);
  if (way < 60) {
    stream.byte(random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13]));
    string(stream, random, randomValue(random));
  } else if (way < 80) {
    stream.byte(10);
    string(stream, random, randomName(random) || "AJP_REMOTE_PORT");
    string(stream, random, randomValue(random));
  } else if (way < 98) {
    stream.byte(11);
    if (random.chance(50)) stream.u16(random.pick([3, 128, 256, 5]));
    else string(stream, random, random.pick(["128", "256", "123456", "1x"]));
  } else {
    stream.byte(random.below(256));
  }
}

function packet(stream: Stream, random: Random, write: () => void): void {
  const at = stream.length;
  stream.u16(random.below(500) === 0 ? random.below(65_536) : 0x1234);
  stream.u16(0);
  write();
  const length = stream.length - at - 4 + (random.below(300) === 0 ? 1 : 0);
  stream.bytes[at + 2] = length >> 8;
  stream.bytes[at + 3] = length & 0xff;
}

function forward(stream: Stream, random: Random): void {
  packet(stream, random, () => {
    const method = random.below(200) === 0 ? random.below(256) : random.pick(METHODS);
    stream.byte(2);
    stream.byte(method);
    for (const text of ["HTTP/1.1", "/p", "192.0.2.7", "", "example.test"]) {
      string(stream, random, text);
    }
    stream.u16(random.below(65_536));
    stream.byte(random.below(3));
    const headers = random.below(random.chance(5) ? 70 : 7);
    stream.u16(random.below(200) === 0 ? headers + 1 : headers);
    for (let i = 0; i < headers; i++) header(stream, random);
    for (let i = random.below(5); i > 0; i--) attribute(stream, random);
    if (method === 255 && random.chance(90)) {
      stream.byte(13);
      string(stream, random, "PATCH");
    }
    if (random.below(200) > 0) stream.byte(0xff);
    if (random.chance(2)) stream.letters(random.below(9));
  });
}

function body(stream: Stream, random: Random): void {
  packet(stream, random, () => {
    const way = random.below(100);
    const length = random.pick([5, 5, 5, 17, 12, 300, random.below(40)]);
    if (way < 5) return;
    if (way < 15) {
      stream.u16(0);
    } else {
      if (way < 90) stream.u16(random.below(200) === 0 ? length + 4 : length);
      stream.letters(length);
      if (random.chance(5)) stream.byte(0);
    }
  });
}

/** Writes one stream. */
export function generateAjp(stream: Stream, random: Random): void {
  const probes = random.below(100) === 0;
  for (let i = 1 + random.below(4); i > 0; i--) {
    for (let n = probes ? 1500 : random.below(3); n > 0; n--) {
      if (random.chance(15)) packet(stream, random, () => {});
      else packet(stream, random, () => stream.byte(10));
    }
    forward(stream, random);
    for (let n = random.below(4); n > 0; n--) {
      const asks = random.chance(60) ? random.pick([1, 1, 1, 2, 3]) : 0;
      for (let i = 0; i < asks; i++) stream.note(Note.ASKED, 1);
      for (let i = Math.max(1, asks); i > 0; i--) if (random.chance(85)) body(stream, random);
    }
    if (random.chance(10)) packet(stream, random, () => {});
    if (random.chance(90)) stream.note(Note.ENDED, 1);
    if (random.chance(15)) body(stream, random);
  }
}
