/**
 * Which addon the tests load: the one built for this machine, or another that POSTERN_TEST_ADDON names.
 * It loads nothing itself. The sanitizer test runs the engine tests once more in this way.
 */
import { addonPaths } from "../../src/engine/native.ts";

/** Paths for `loadAddon`. */
export function testAddonPaths(): string[] {
  const named = process.env["POSTERN_TEST_ADDON"];
  return named ? [named] : addonPaths(`${process.platform}-${process.arch}`);
}
