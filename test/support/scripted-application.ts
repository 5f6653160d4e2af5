/**
 * A script and a protocol → the address that our client's requests take, for the tests of one file.
 *
 * It plays the script by listenScripted and ends it after each test, where what the script threw fails the test. What
 * the application says is the script's part: ajp-application.ts and fastcgi-application.ts have the words.
 */
import { afterEach } from "vitest";
import { listenScripted, type ScriptedPeer, type Wire } from "./scripted-peer.ts";

/** The application of the running test. */
export interface ScriptedApplication<P extends string> {
  /** Starts it; what it gives is what a request needs. */
  listen(
    script: (wire: Wire, index: number) => Promise<void>,
    transport?: "unix" | "tcp",
  ): Promise<{ protocol: P; address: ScriptedPeer["address"] }>;
  /** Connections accepted so far. */
  readonly connectionCount: number;
  /** Ends it before the test does; throws what a script threw. */
  close(): Promise<void>;
}

/** Called once in a test file; each test may start one application. */
export function scriptedApplication<P extends string>(protocol: P): ScriptedApplication<P> {
  let peer: ScriptedPeer | undefined;
  const close = async (): Promise<void> => {
    const closing = peer;
    peer = undefined;
    await closing?.close();
  };
  afterEach(close);
  return {
    async listen(script, transport = "unix") {
      if (peer !== undefined) throw new Error("This test listens already.");
      peer = await listenScripted(script, transport);
      return { protocol, address: peer.address };
    },
    get connectionCount() {
      if (peer === undefined) throw new Error("This test does not listen.");
      return peer.connectionCount;
    },
    close,
  };
}
