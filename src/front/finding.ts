/** What is wrong with a set-up, for people and programs alike; what finds it are the tables beside this file. */

/** One thing that is wrong. */
export interface Finding {
  /** A word for it that stays, for programs. */
  readonly id: string;
  /** One sentence: what is wrong, and what comes of it. */
  readonly cause: string;
  /** `FILE:LINE`, a path or an address. */
  readonly where: string;
  /** The line to write, or the command to give. */
  readonly fix: string;
}
