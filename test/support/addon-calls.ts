/**
 * What the native transport is told to do, call by call: for tests of what no peer can see for certain.
 * It changes nothing; servers that were opened before are not watched.
 */
import { afterAll, beforeAll, vi } from "vitest";
import { loadAddon } from "../../src/engine/native.ts";
import { testAddonPaths } from "./addon.ts";

/** One call of a function of {@link TransportFunctions}. */
export interface AddonCall {
  readonly name: string;
  readonly given: readonly unknown[];
}

/** Records the calls of a file's tests; the list is emptied by whoever looks at it. */
export function recordAddonCalls(): AddonCall[] {
  const calls: AddonCall[] = [];
  beforeAll(() => {
    const { addon } = loadAddon(testAddonPaths());
    if (addon?.openTransport === undefined) return;
    const { openTransport } = addon;
    vi.spyOn(addon, "openTransport").mockImplementation((...given) => {
      const functions = openTransport(...given);
      const watched = Object.entries(functions).map(([name, call]) => [
        name,
        (...args: unknown[]): unknown => {
          calls.push({ name, given: args });
          return Reflect.apply(call, undefined, args);
        },
      ]);
      return Object.fromEntries(watched);
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });
  return calls;
}
