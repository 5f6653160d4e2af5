/**
 * How the sending of one answer ends → the promise `info.completed`, which is made when somebody asks for it.
 */

/** The end of one answer, from "not yet" to one of two. */
export class Completion {
  #isSettled = false;
  #isBroken = false;
  #promise: Promise<void> | undefined;
  #tell: ((error?: Error) => void) | undefined;

  /** Says how it ended; the first word counts. To be handed on as a callback. */
  readonly settle = (error?: Error | null): void => {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#isBroken = error !== undefined && error !== null;
    this.#tell?.();
  };

  /** Resolves when the answer is with the kernel, rejects when it will never be. */
  get promise(): Promise<void> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#tell = (): void => {
        if (this.#isBroken) reject(new Error("The response was not sent whole."));
        else resolve();
      };
      if (this.#isSettled) this.#tell();
    });
    return this.#promise;
  }
}
