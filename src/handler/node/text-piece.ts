/**
 * Text of a response → a piece of its body: as it is where each character is one byte, as bytes otherwise.
 * Text that is handed on becomes bytes where it is put together with its frame, and never a Buffer of its own.
 */
import type { BodyPiece } from "../../http/head.ts";

/** Text up to this length is handed on as it is, to be written where it is put together with its frame. */
const TEXT_MAX = 8_192;

/** Text whose characters are its bytes, as it is; other text as bytes. */
export function pieceOf(text: string, encoding: unknown): BodyPiece {
  const given = typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8";
  const isText = given === "utf8" || given === "utf-8" || given === "latin1" || given === "binary";
  if (isText && text.length <= TEXT_MAX && Buffer.byteLength(text) === text.length) return text;
  return Buffer.from(text, given);
}
