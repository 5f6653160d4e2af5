/**
 * Removes what the other scripts made; leaves installed dependencies and sources alone.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./house.mjs";

// build-*: also what a build left that was ended before it could tidy up.
const builds = readdirSync(root).filter((name) => /^build(-|$)/.test(name));
const caches = ["node_modules/.cache", "test/compat/node_modules/.cache"];
const site = ["site/pages", "site/dist"];
for (const folder of ["dist", ...site, ...builds, "prebuilds", "coverage", ...caches]) {
  rmSync(join(root, folder), { recursive: true, force: true });
}
