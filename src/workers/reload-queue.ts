/**
 * Wishes for new workers → one at a time: those that come while one is under way are one more, afterwards.
 *
 * Twenty-five signals in a row are so at most two reloads, and the last one is always heard (reliability B-92). What a
 * reload is, the pool knows.
 */

/** Why workers could not begin. */
export interface Failure {
  readonly sentence: string;
  /** The error's code; "" for none. */
  readonly code: string;
  /** What the application's own error looks like; "" for none. */
  readonly detail: string;
  /** Exit status that it asks for. */
  readonly status: number;
}

/** Nothing is begun any more. */
export const STOPPING: Failure = {
  sentence: "It is stopping.",
  code: "",
  detail: "",
  status: 1,
};

/** A promise's two ends. */
interface Waiting {
  readonly done: () => void;
  readonly fail: (failure: Failure) => void;
}

/** The wishes of one pool. */
export class ReloadQueue {
  readonly #begin: () => void;
  #running: readonly Waiting[] = [];
  #next: Waiting[] = [];

  /** @param begin starts one */
  constructor(begin: () => void) {
    this.#begin = begin;
  }

  /** Is one under way? */
  get busy(): boolean {
    return this.#running.length > 0;
  }

  /** Resolves when a reload that began after this call is done; rejects with its {@link Failure}. */
  ask(): Promise<void> {
    return new Promise((done, fail) => {
      this.#next.push({ done, fail });
      if (!this.busy) this.#go();
    });
  }

  #go(): void {
    this.#running = this.#next;
    this.#next = [];
    if (this.busy) this.#begin();
  }

  /** The one under way is done. */
  done(): void {
    const told = this.#running;
    this.#go();
    for (const { done } of told) done();
  }

  /** The one under way has failed. */
  fail(failure: Failure): void {
    const told = this.#running;
    this.#go();
    for (const { fail } of told) fail(failure);
  }

  /** Nothing is begun any more. */
  close(failure: Failure): void {
    const told = [...this.#running, ...this.#next];
    this.#running = [];
    this.#next = [];
    for (const { fail } of told) fail(failure);
  }
}
