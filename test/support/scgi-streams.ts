/**
 * Generated SCGI streams: a netstring, a body, and bytes behind it.
 * Built by hand so that wrong lengths and pairs can be built too.
 */
import { Note } from "../../src/wire/abi.ts";
import { randomLength, randomName, randomValue } from "./fields.ts";
import type { Random } from "./random.ts";
import type { Stream } from "./streams.ts";

/** Writes one stream. */
export function generateScgi(stream: Stream, random: Random): void {
  const pairs: [string, string][] = [];
  if (random.chance(96)) pairs.push(["CONTENT_LENGTH", randomLength(random)]);
  if (random.chance(90)) pairs.push(["SCGI", "1"]);
  for (let i = random.below(random.chance(5) ? 70 : 8); i > 0; i--) {
    pairs.push([randomName(random) || "X", randomValue(random)]);
  }
  if (random.chance(15)) pairs.push(["HTTP_UPGRADE", "websocket"]);
  if (random.chance(4)) pairs.push(["CONTENT_LENGTH", randomLength(random)]);
  if (random.chance(1)) pairs.push(["", "x"]);
  if (random.chance(15)) pairs.reverse();
  let text = pairs.map(([name, value]) => `${name}\0${value}\0`).join("");
  if (random.below(150) === 0) text = text.slice(0, -1);
  const length = text.length + (random.below(150) === 0 ? random.below(3) - 1 : 0);
  stream.text(random.below(150) === 0 ? `0${length}` : `${length}`);
  stream.byte(random.below(300) === 0 ? 0x20 : 0x3a);
  stream.text(text);
  stream.byte(random.below(150) === 0 ? 0x3b : 0x2c);
  if (random.chance(10)) stream.note(random.pick([Note.UPGRADED, Note.ENDED]), 1);
  for (let i = random.below(4); i > 0; i--) {
    stream.letters(random.pick([1, 5, 12, 17, 300]));
    if (random.chance(10)) stream.note(random.pick([Note.UPGRADED, Note.ENDED]), 1);
  }
}
