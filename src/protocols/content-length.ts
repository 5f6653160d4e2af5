/**
 * CONTENT_LENGTH by its bytes: digits, or no length at all.
 * It makes no string and knows no limit of ours beyond what a number can hold. RFC 3875 §4.1.2, RFC 9110 §8.6.
 * Twin: native/core/content_length.h.
 */

/** The value is not a length: no digit, something else than digits, or too large to count. */
export const LENGTH_INVALID = -1;

/** 2^53 − 1 has 16 digits; more are never a length, leading zeros included. */
const DIGITS_MAX = 16;

/**
 * Reads a length of digits only: no sign, no blank, no hexadecimal, no exponent.
 *
 * @param bytes  memory that holds the value
 * @param start  offset of its first byte
 * @param length its length in bytes
 * @returns 0 to 2^53 − 1, or {@link LENGTH_INVALID}
 */
export function readContentLength(bytes: Uint8Array, start: number, length: number): number {
  if (length < 1 || length > DIGITS_MAX) return LENGTH_INVALID;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = bytes[start + i]! - 0x30;
    if (digit < 0 || digit > 9) return LENGTH_INVALID;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : LENGTH_INVALID;
}

/** Are two ranges of bytes equal? */
export function equalBytes(
  bytes: Uint8Array,
  first: number,
  firstLength: number,
  second: number,
  secondLength: number,
): boolean {
  if (firstLength !== secondLength) return false;
  for (let i = 0; i < firstLength; i++) {
    if (bytes[first + i] !== bytes[second + i]) return false;
  }
  return true;
}

/** Where one head has its CONTENT_LENGTH; twice with equal bytes is once (decisions: "repeated CGI meta-variables"). */
export class ContentLengthField {
  /** Offset of the value. */
  start = 0;
  /** Its length in bytes, or −1 while there is none. */
  length = -1;
  /** Was it given again with other bytes? Then there is no length to trust. */
  conflicting = false;

  /** Forgets the last head. */
  clear(): void {
    this.start = 0;
    this.length = -1;
    this.conflicting = false;
  }

  /** Takes one CONTENT_LENGTH of the head. */
  add(bytes: Uint8Array, start: number, length: number): void {
    if (this.length < 0) {
      this.start = start;
      this.length = length;
    } else if (!equalBytes(bytes, this.start, this.length, start, length)) {
      this.conflicting = true;
    }
  }
}
