/** Types of payload.mjs, which is JavaScript because the application under test runs it without a build. */

/** Bytes of every block but the last. */
export declare const BLOCK_BYTES: number;

/** Yields the body of that length, block by block. */
export declare function payload(bytes: number): Generator<Buffer, void, void>;

/** SHA-256 of the body of that length, in hexadecimal. */
export declare function payloadSha256(bytes: number): string;
