/**
 * Name-value pairs and netstrings → fields, read as the specifications say and by nothing of src/: what the fuzzer of fields
 * compares decoders with. It knows no limits. FastCGI specification §3.4, SCGI protocol document "Request format".
 */

/** A name and its value, latin1. */
export type SpokenPair = readonly [name: string, value: string];

const long = (length: number): Buffer => {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(length + 0x8000_0000);
  return four;
};

/** Pairs; those with `true` have lengths of four bytes, which short ones may have as well. */
export function writePairs(pairs: readonly (readonly [SpokenPair, boolean])[]): Buffer {
  return Buffer.concat(
    pairs.flatMap(([[name, value], wide]) => [
      ...[name, value].map(({ length }) =>
        wide || length > 127 ? long(length) : Buffer.of(length),
      ),
      Buffer.from(name + value, "latin1"),
    ]),
  );
}

/** All pairs, or undefined where one reaches past the end. */
export function readPairs(content: Buffer): SpokenPair[] | undefined {
  const pairs: SpokenPair[] = [];
  let at = 0;
  const length = (): number => {
    if (at >= content.length) return Number.NaN;
    if (content[at]! < 128) return content[at++]!;
    if (at + 4 > content.length) return Number.NaN;
    at += 4;
    return content.readUInt32BE(at - 4) - 0x8000_0000;
  };
  while (at < content.length) {
    const [nameLength, valueLength] = [length(), length()];
    const end = at + nameLength + valueLength;
    if (!(end <= content.length)) return undefined;
    const name = content.toString("latin1", at, at + nameLength);
    pairs.push([name, content.toString("latin1", at + nameLength, end)]);
    at = end;
  }
  return pairs;
}

/** The headers of a whole netstring, or undefined for what is none. */
export function readNetstring(bytes: Buffer): SpokenPair[] | undefined {
  const text = bytes.toString("latin1");
  const match = /^(\d+):/.exec(text);
  if (match === null) return undefined;
  const from = match[0].length;
  const end = from + Number(match[1]);
  if (text[end] !== "," || text[end - 1] !== "\0") return undefined;
  const words = text.slice(from, end - 1).split("\0");
  if (words.length % 2 === 1) return undefined;
  return words.flatMap((name, i): SpokenPair[] => (i % 2 === 0 ? [[name, words[i + 1]!]] : []));
}
