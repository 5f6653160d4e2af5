/**
 * Where the AJP secret stands → its SHA-256, and the secret itself is forgotten.
 *
 * Compares nothing: protocols/ajp/head.ts does. No message repeats a secret, nor any part of one.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { UsageError } from "../errors.ts";

/** Shortest secret in bytes: 128 bits if it is random. */
export const SECRET_BYTES_MIN = 16;

/** How the two are named in messages: as options, and as variables of the environment. */
const DIRECT = "ajp.secret (POSTERN_AJP_SECRET)";
const FILE = "ajp.secretFile (POSTERN_AJP_SECRET_FILE)";

/**
 * The secret of a file, without the line end that editors put behind it.
 *
 * @throws UsageError where it cannot be read
 */
export function readSecretFile(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    // Editors end a file with a line end, which is not part of the secret.
    let end = bytes.length;
    while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
    return bytes.subarray(0, end);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new UsageError(
      `${FILE} is ${JSON.stringify(path)}, which cannot be read (${code}); give a file that this user may read.`,
      "ERR_USAGE",
      { cause },
    );
  }
}

/**
 * Reads the secret.
 *
 * @param secret     the secret itself
 * @param secretFile path of the file that holds it
 * @returns its SHA-256 (over its bytes, UTF-8 where it came as text), or undefined when there is none
 * @throws UsageError when it is given twice, cannot be read, or is shorter than {@link SECRET_BYTES_MIN}
 */
export function readSecretHash(
  secret: string | undefined,
  secretFile: string | undefined,
): Buffer | undefined {
  if (secret !== undefined && secretFile !== undefined) {
    throw new UsageError(`${DIRECT} and ${FILE} are both given; give one of them.`);
  }
  const bytes =
    secret !== undefined
      ? Buffer.from(secret)
      : secretFile !== undefined
        ? readSecretFile(secretFile)
        : undefined;
  if (bytes === undefined) return undefined;
  if (bytes.length < SECRET_BYTES_MIN) {
    const source = secret !== undefined ? DIRECT : `The secret in ${FILE}`;
    throw new UsageError(
      `${source} is ${bytes.length} bytes long; at least ${SECRET_BYTES_MIN} are needed, for example from "openssl rand -hex 32".`,
    );
  }
  return createHash("sha256").update(bytes).digest();
}
