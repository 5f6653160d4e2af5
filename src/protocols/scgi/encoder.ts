/**
 * Responses → SCGI: a CGI head, then the body as it is; the end is the end of the connection.
 * It frames nothing, because SCGI has no frames in this direction. SCGI specification, "Response"; RFC 3875 §6.
 */
import type { BodyPiece, ResponseHead } from "../../http/head.ts";
import { cgiResponseHead } from "../cgi/response-head.ts";
import { addPiece, type Encoder, type Output } from "../protocol.ts";

/** Makes the SCGI encoder. */
export function createEncoder(): Encoder {
  return {
    response(
      out: Output,
      _exchangeId: number,
      head: ResponseHead | undefined,
      chunk: BodyPiece | undefined,
    ): void {
      if (head !== undefined) out.text(cgiResponseHead(head, false));
      if (chunk !== undefined) addPiece(out, chunk);
    },
    flush(): void {},
    stderr(): void {},
    pullsBody: false,
    want(): void {},
    control(): boolean {
      return false;
    },
  };
}
