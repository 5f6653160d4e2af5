/**
 * Responses → SCGI: a CGI head, then the body as it is; the end is the end of the connection.
 * It frames nothing, because SCGI has no frames in this direction. SCGI specification, "Response"; RFC 3875 §6.
 */
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import { cgiResponseHead } from "../cgi/response-head.ts";
import { addPiece, type Encoder, type Output, pieceText } from "../protocol.ts";

/** Makes the SCGI encoder. */
export function createEncoder(): Encoder {
  return {
    response(
      out: Output,
      _exchangeId: number,
      head: ResponseHead | undefined,
      chunk: BodyPiece | undefined,
    ): void {
      const headText = head === undefined ? "" : cgiResponseHead(head, false);
      const body = chunk === undefined ? "" : pieceText(chunk);
      const text = body === undefined ? headText : headText + body;
      if (text !== "") out.text(text);
      if (chunk !== undefined && body === undefined) addPiece(out, chunk);
    },
    flush(): void {},
    stderr(): void {},
    wantBytes: 0,
    want(): void {},
    control(): boolean {
      return false;
    },
  };
}
