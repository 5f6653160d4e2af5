/**
 * A recorded connection → the same bytes sent again, and the statuses that come back.
 *
 * Keeps the order of the two sides: a piece is sent once as many turns of the application have come as when it was recorded.
 * Compares nothing.
 */
import { ClientError } from "../errors.ts";
import { AnswerReader } from "./answer-reader.ts";
import { PeerSocket } from "./peer-socket.ts";
import type { RecordedConnection } from "./recorder.ts";
import type { ClientAddress } from "./session.ts";

/**
 * Sends it again.
 *
 * @param timeoutMs longest time for all of it
 * @returns statuses in the order in which the answers ended
 * @throws ClientError ERR_CLIENT_CONNECT, ERR_CLIENT_TIMEOUT, ERR_CLIENT_RESPONSE
 */
export async function replayConnection(
  recorded: RecordedConnection,
  address: ClientAddress,
  timeoutMs: number,
): Promise<readonly number[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const socket = await PeerSocket.open(address, signal);
  const reader = new AnswerReader(recorded.protocol);
  const wanted = recorded.statuses.length;
  let next = 0;
  return new Promise((resolve, reject) => {
    const late = new ClientError("ERR_CLIENT_TIMEOUT");
    const timer = setTimeout(() => socket.destroy(late), timeoutMs);
    const advance = (): void => {
      for (; next < recorded.pieces.length; next += 1) {
        const { after, bytes } = recorded.pieces[next]!;
        if (after > reader.turns) return;
        socket.write(Buffer.from(bytes, "base64"))?.catch(() => undefined);
      }
      if (recorded.protocol !== "scgi" && reader.statuses.length >= wanted) socket.close();
    };
    socket.listen({
      data(chunk): void {
        reader.push(chunk);
        advance();
      },
      ended(error): void {
        clearTimeout(timer);
        if (error instanceof ClientError) return reject(error);
        reader.end();
        resolve(reader.statuses);
      },
    });
    advance();
  });
}
