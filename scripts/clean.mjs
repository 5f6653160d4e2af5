/**
 * Removes what the other scripts made; leaves installed dependencies and sources alone.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./house.mjs";

for (const folder of [
  "dist",
  "build",
  "build-asan",
  "build-bench",
  "coverage",
  "node_modules/.cache",
]) {
  rmSync(join(root, folder), { recursive: true, force: true });
}
