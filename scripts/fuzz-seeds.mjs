/**
 * test/vectors → the named seeds of native/fuzz/corpus: one for each vector and for each capture of a real front server.
 * Seeds that are there already stay as they are, grown ones and those of findings too. Format: native/fuzz/fuzz_input.h.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "./house.mjs";

const PROTOCOLS = ["fastcgi", "scgi", "ajp"];
const EVENTS = { ASKED: 0, ENDED: 1, UPGRADED: 2 };
const NOTES_MAX = 160;
/** Longer ones would only be slow: the guard-page test plays them. */
const BYTES_MAX = 4_096;
/** Bits of the first byte. */
const MANY_REQUESTS = 0x08;
const RAW_BODY = 0x20;

/** `01 02 61*3` → bytes. */
function bytesOf(hex) {
  return Buffer.concat(
    hex
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => {
        const [byte, count] = word.split("*");
        return Buffer.alloc(Number(count ?? 1), Number.parseInt(byte, 16));
      }),
  );
}

/** One input: byte by byte, and whole. */
function seedOf(options, notes, stream) {
  const bits =
    (options.requestsPerConnection ? MANY_REQUESTS : 0) | (options.ajpRawBody ? RAW_BODY : 0);
  const told = notes.slice(0, NOTES_MAX).map(({ offset, event, id }) => {
    return Buffer.of(offset & 0xff, offset >> 8, EVENTS[event], id === 65_535 ? 0xff : id);
  });
  return Buffer.concat([Buffer.of(bits, 1, told.length), ...told, stream]);
}

function seedsOfVectors(protocol) {
  const vectors = JSON.parse(readFileSync(join(root, `test/vectors/${protocol}.json`), "utf8"));
  return vectors.flatMap(({ id, options = {}, steps }) => {
    let stream = Buffer.alloc(0);
    const notes = [];
    for (const step of steps) {
      if (step.dir === ">") stream = Buffer.concat([stream, bytesOf(step.hex)]);
      else for (const note of step.notes ?? []) notes.push({ ...note, offset: stream.length });
    }
    if (stream.length === 0 || stream.length > BYTES_MAX) return [];
    return [[`vector-${id}`, seedOf(options, notes, stream)]];
  });
}

function seedsOfCaptures(protocol) {
  const folder = join(root, "test/vectors/captures");
  const names = readdirSync(folder).filter((name) => name.includes(`-${protocol}-`));
  return names.map((name) => {
    const options = { ajpRawBody: name.startsWith("lighttpd-ajp") };
    return [
      `capture-${name.replace(".bin", "")}`,
      seedOf(options, [], readFileSync(join(folder, name))),
    ];
  });
}

/** Writes what is missing in each corpus; returns 0. */
export function makeSeeds() {
  for (const protocol of PROTOCOLS) {
    const path = join(root, `native/fuzz/corpus/${protocol}.txt`);
    const before = existsSync(path) ? readFileSync(path, "utf8") : "";
    const known = new Set(before.split("\n").map((line) => line.split(" ")[0]));
    const seeds = [...seedsOfVectors(protocol), ...seedsOfCaptures(protocol)];
    const fresh = seeds.filter(([name]) => !known.has(name));
    const lines = fresh.map(([name, bytes]) => `${name} ${bytes.toString("hex")}\n`);
    if (fresh.length > 0) writeFileSync(path, before + lines.join(""));
    say(`${protocol}: ${fresh.length} seeds of vectors and captures added`);
  }
  return 0;
}
