/**
 * Uploads of any size in constant memory: the body is read as it comes, and answered with its length and SHA-256.
 *
 *   postern upload.mjs --socket /run/app/app.sock --limits.body-bytes 1073741824
 */
import { createHash } from "node:crypto";

export default async (req, res) => {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of req) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ bytes, sha256: hash.digest("hex") }));
};
