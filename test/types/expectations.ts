/**
 * Statements about types, for tests that only the compiler runs. They hold nothing at run time.
 */

/** True where two types are the same, and not only assignable to each other. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where the type is true. */
export function holds<T extends true>(..._: T[]): void {}
