/**
 * Requests one after the other, from so many clients at once, over new connections: what came, and what failed.
 * For tests that change something under load.
 */
import { request } from "../../src/client/client.ts";

/** Clients that ask until they are stopped. */
export interface Loops {
  /** What was answered so far. */
  readonly answers: readonly string[];
  readonly failures: readonly unknown[];
  /** Resolves when the last answer is there. */
  stop(): Promise<void>;
}

/** Starts them. */
export function startLoops(socket: string, count: number, url = "/"): Loops {
  const answers: string[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      try {
        const response = await request({ protocol: "fastcgi", address: { socket }, url });
        const text = await response.text();
        if (response.status === 200) answers.push(text);
        else failures.push(text);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const loops = Array.from({ length: count }, loop);
  return {
    answers,
    failures,
    async stop(): Promise<void> {
      isOver = true;
      await Promise.all(loops);
    },
  };
}
