/**
 * Whatever a peer may have sent → text that a log line can hold: no line ends, no quotes, no bytes that a terminal obeys.
 * Values are latin1 strings, one character a byte, as heads are. It knows no format.
 */

/** Printable ASCII less the quote and the backslash. */
const UNSAFE = /[^ !#-[\]-~]/;
const EACH_UNSAFE = /[^ !#-[\]-~]/g;

function asBytes(text: string): string {
  // Of a string that is not latin1, made by an application, the bytes of its UTF-8.
  let escaped = "";
  const bytes = /[^\0-\xff]/.test(text) ? Buffer.from(text) : Buffer.from(text, "latin1");
  for (const byte of bytes) {
    const isPlain = byte >= 32 && byte < 127 && byte !== 34 && byte !== 92;
    escaped += isPlain
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

/** For lines of text: `"` and whatever is not printable ASCII as `\xHH`, as nginx writes it; `-` for nothing. */
export function escapeText(value: string): string {
  if (value === "") return "-";
  return UNSAFE.test(value) ? asBytes(value) : value;
}

function asJson(text: string): string {
  const read = /[^\0-\xff]/.test(text) ? text : Buffer.from(text, "latin1").toString("utf8");
  return JSON.stringify(read)
    .slice(1, -1)
    .replace(EACH_UNSAFE, (char) =>
      char === '"' || char === "\\"
        ? char
        : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** For the inside of a JSON string: bytes that are UTF-8 are read so, others become U+FFFD; all of it is ASCII. */
export function escapeJson(value: string): string {
  return UNSAFE.test(value) ? asJson(value) : value;
}

const MEMO_SLOTS = 128;
/** Longer texts are looked through each time: 128 of them would be too much to keep. */
const MEMO_LENGTH_MAX = 256;

/**
 * An escape that remembers texts which come again and again, as user agents do: comparing one costs a third of looking
 * through it. It keeps copies, since a part of a head would keep the whole head.
 */
export function remembering(escaped: (value: string) => string): (value: string) => string {
  const values = new Array<string>(MEMO_SLOTS).fill("");
  const escapes = new Array<string>(MEMO_SLOTS).fill(escaped(""));
  return (value) => {
    const { length } = value;
    if (length === 0 || length > MEMO_LENGTH_MAX) return escaped(value);
    const mixed = length * 31 + value.charCodeAt(length >> 1) * 7 + value.charCodeAt(length >> 2);
    const slot = mixed & (MEMO_SLOTS - 1);
    if (values[slot] === value) return escapes[slot]!;
    const copy = Buffer.from(value).toString();
    values[slot] = copy;
    escapes[slot] = escaped(copy);
    return escapes[slot]!;
  };
}

/** A text of any origin on one line, for people: line ends and other controls as `\xHH`, the rest as it is. */
export function onOneLine(text: string): string {
  return text.replace(
    /[\0-\x1f\x7f-\x9f\u2028\u2029]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
