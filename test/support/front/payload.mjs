/**
 * A number of bytes → a body of that length whose SHA-256 both sides can work out.
 *
 * The same code runs in the application behind the gateway and in the test in front of the server, so
 * nothing is compared with itself: what is compared is what arrived. Keeps one block in memory, never a body.
 */
import { createHash } from "node:crypto";

/** Bytes of every block but the last. */
export const BLOCK_BYTES = 65_536;

/** A block of fixed noise: incompressible, the same in every process. */
const noise = Buffer.alloc(BLOCK_BYTES);
let seed = 0x9e3779b9;
for (let offset = 0; offset < BLOCK_BYTES; offset += 4) {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  noise.writeUInt32BE(seed >>> 0, offset);
}

/** Yields the body block by block; each block is the caller's own and carries its number. */
export function* payload(bytes) {
  for (let index = 0, left = bytes; left > 0; index += 1) {
    const block = Buffer.from(noise);
    block.writeUInt32BE(index, 0);
    yield left < BLOCK_BYTES ? block.subarray(0, left) : block;
    left -= BLOCK_BYTES;
  }
}

const known = new Map();

/** SHA-256 of the body of that length, in hexadecimal. */
export function payloadSha256(bytes) {
  let sha256 = known.get(bytes);
  if (sha256 === undefined) {
    const hash = createHash("sha256");
    for (const block of payload(bytes)) hash.update(block);
    sha256 = hash.digest("hex");
    known.set(bytes, sha256);
  }
  return sha256;
}
