/**
 * A Next.js application as small as one can be; apps/next.mjs builds and serves it.
 */
import { resolve } from "node:path";

export default {
  // The folder with node_modules/next in it, seen from where the application is built.
  turbopack: { root: resolve(import.meta.dirname, "../../../..") },
  generateBuildId: () => "compat",
  async redirects() {
    return [{ source: "/redirect", destination: "/rendered", permanent: false }];
  },
  async rewrites() {
    return [
      { source: "/rewritten/:id", destination: "/users/:id" },
      { source: "/raw/:path*", destination: "/api/raw/:path*" },
    ];
  },
};
