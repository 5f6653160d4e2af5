/**
 * The pages that scripts/docs.mjs has put together → a site of VitePress: its menu, its anchors, its search.
 *
 * Anchors are those that repositories' hosts make, so that one link works in both. A dead link ends the build.
 */
import { anchorOf } from "../../scripts/links.mjs";

const page = (text, link) => ({ text, link });
const guides = [
  page("One minute", "/docs/get-started"),
  page("Ways in", "/docs/ways-in"),
  page("Coming from something else", "/docs/migrating"),
  page("runfcgi", "/docs/runfcgi"),
  page("Several instances", "/docs/scale-out"),
];
const reference = [
  page("Command and README", "/README"),
  page("API", "/api/index/README"),
  page("API: postern/client", "/api/client/client/README"),
  page("Handlers", "/docs/handlers"),
  page("Options", "/docs/options"),
  page("Errors", "/docs/errors"),
  page("Files", "/docs/files"),
  page("Mount prefix", "/docs/script-name"),
];
const front = [
  page("Protocols", "/docs/protocols"),
  page("Configurations, printed", "/docs/config"),
  page("Front servers", "/docs/front-servers"),
  page("Security", "/docs/security"),
];
const operations = [
  page("Workers", "/docs/workers"),
  page("Control", "/docs/control"),
  page("systemd", "/docs/systemd"),
  page("Logging", "/docs/logging"),
  page("Metrics, overload", "/docs/metrics"),
];
const proof = [
  page("Speed", "/README#speed"),
  page("Compatibility", "/docs/compatibility"),
  page("Reliability", "/docs/reliability"),
  page("Fuzzing", "/docs/fuzzing"),
  page("Soak", "/docs/soak"),
  page("Architecture", "/docs/ARCHITECTURE"),
  page("Decisions", "/docs/decisions/README"),
  page("Changes", "/CHANGELOG"),
];

export default {
  title: "postern",
  description: "FastCGI, SCGI and AJP 1.3 for Node.js applications",
  lang: "en",
  srcDir: "pages",
  outDir: "dist",
  cacheDir: "node_modules/.cache/vitepress",
  // Absolute addresses would tie the site to one host's root; this one is given at build time.
  base: process.env.POSTERN_DOCS_BASE ?? "/",
  ignoreDeadLinks: false,
  metaChunk: true,
  markdown: {
    anchor: { slugify: anchorOf },
    languageAlias: { haproxy: "ini", lighttpd: "ini" },
  },
  themeConfig: {
    nav: [page("One minute", "/docs/get-started"), page("Front servers", "/docs/front-servers"), page("API", "/api/index/README")],
    sidebar: [
      { text: "Guides", items: guides },
      { text: "Web servers", items: front },
      { text: "Operations", items: operations },
      { text: "Reference", items: reference },
      { text: "Proof", items: proof },
    ],
    outline: [2, 3],
    search: { provider: "local" },
  },
};
