/**
 * What a client's verb shows → standard output and standard error of this process, in order and with back-pressure.
 *
 * Text from an application is made harmless to a terminal; bodies go out as they are, as they may be files.
 */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { hasColours } from "./colour.ts";

/** Whoever read our output has gone, as `head` does. */
export class ReaderGone extends Error {
  override readonly name: string = "ReaderGone";
}

/** Where a verb writes. */
export interface ClientScreen {
  /** Writes to standard output, and waits until more may be written. */
  write(bytes: string | Uint8Array): Promise<void>;
  /** Writes to standard error. */
  note(text: string): void;
  /** Standard error is a terminal that shows progress. */
  readonly isTerminal: boolean;
  /** Standard output may have colours. */
  readonly hasColours: boolean;
}

/** Text of others without what moves a terminal's cursor or worse; tabs and line ends stay. */
export function harmless(text: string): string {
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** Writes to a stream, and waits until it has gone out. */
export async function writeTo(stream: Writable, bytes: string | Uint8Array): Promise<void> {
  if (stream.destroyed) throw new ReaderGone();
  if (!stream.write(bytes)) await Promise.race([once(stream, "drain"), once(stream, "close")]);
}

/** The screen of this process. */
export function ownScreen(): ClientScreen {
  const { stdout, stderr, env } = process;
  let isGone = false;
  stdout.on("error", () => {
    isGone = true;
  });
  return {
    async write(bytes): Promise<void> {
      if (isGone) throw new ReaderGone();
      await new Promise<void>((done, fail) => {
        stdout.write(bytes, (error) => (error ? fail(new ReaderGone()) : done()));
      });
    },
    note: (text) => void stderr.write(text),
    isTerminal: stderr.isTTY === true && env["TERM"] !== "dumb",
    hasColours: hasColours(stdout.isTTY === true, env),
  };
}
