/**
 * The four test projects: what runs anywhere in seconds, what compares both engines, what serves frameworks, what needs
 * real servers.
 *
 * Says which files belong to which project and how many run at once; holds no rule about what is tested.
 * `vitest --project unit` selects one.
 */
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Two at once: enough for a laptop, and time limits in the tests hold on a two-core machine. */
const WORKER_COUNT = 2;

const config: ViteUserConfig = defineConfig({
  cacheDir: "node_modules/.cache/vite",
  test: {
    maxWorkers: WORKER_COUNT,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [
            "**/node_modules/**",
            "test/engine/**",
            "test/conformance/**",
            "test/compat/**",
          ],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "compat",
          include: ["test/compat/*.test.ts"],
          // After the rest: thirteen servers of six kinds in one process would upset the time limits of others.
          sequence: { groupOrder: 2 },
          // Applications are what users have: nothing of them or of their packages goes through vite.
          server: { deps: { external: [/\/test\/compat\/(apps|node_modules)\//] } },
          // Error pages with stacks would differ by the stacks.
          env: { NODE_ENV: "production" },
          setupFiles: ["test/compat/quiet.ts"],
          testTimeout: 60_000,
          // The first time a Next.js application is built: 20 s and more.
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          // Real servers on real ports: one file after the other, after the rest.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

export default config;
