/**
 * Names and values for generated request heads: known and unknown names, lengths around the limits of their encoding.
 * It knows no protocol.
 */
import { FIELD_NAMES } from "../../src/http/field-names.ts";
import type { Random } from "./random.ts";

const KNOWN: readonly string[] = FIELD_NAMES.slice(1).filter((name) => !name.startsWith("ajp:"));
const SPELLED: readonly string[] = ["X-Dup", "x", "Lower_Case", "FOO", "HTTP_X_DUP", "__proto__"];
const VALUES: readonly string[] = [
  "",
  "1",
  "GET",
  "/a?x=1",
  "text/plain",
  "\u00e9\u00ff",
  "websocket",
];
const LENGTHS: readonly string[] = ["0", "5", "5", "17", "300", "", "-1", "05", "5x", "+5"];
const LONG_LENGTHS: readonly number[] = [127, 128, 129, 255, 256, 1024, 1025];

/** A name, mostly one that is known; seldom empty or long. */
export function randomName(random: Random): string {
  const way = random.below(100);
  if (way < 60) return random.pick(KNOWN);
  if (way < 95) return random.pick(SPELLED);
  if (way < 98) return "N".repeat(random.pick(LONG_LENGTHS));
  return "";
}

/** A value. */
export function randomValue(random: Random): string {
  if (random.chance(92)) return random.pick(VALUES);
  return "v".repeat(random.pick(LONG_LENGTHS));
}

/** A CONTENT_LENGTH: mostly a plain one. */
export function randomLength(random: Random): string {
  return random.chance(80) ? random.pick(LENGTHS.slice(0, 5)) : random.pick(LENGTHS);
}
