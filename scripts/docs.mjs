/**
 * README, docs/ and the docstrings of the public surface → a site of static files in site/dist.
 *
 * Copies the documents as they are into site/pages, where only links to files that no page is made of lose their target.
 * The generators are a project of their own, site/package.json, installed by this command. A dead link ends it.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isMain, root, run, say } from "./house.mjs";
import { followLinks } from "./links.mjs";
import { setupSite } from "./setup.mjs";

const SITE = join(root, "site");
const PAGES = join(SITE, "pages");

/** Paths of the documents that become pages, from the root. */
function documents() {
  const inner = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  return [
    ...readdirSync(root).filter((name) => name.endsWith(".md")),
    ...inner.filter((name) => name.endsWith(".md")).map((name) => join("docs", name)),
    "bench/README.md",
  ];
}

/** A document without targets that are no page and no picture: sources, folders, licence. */
function withinPages(document, text, pages) {
  return text.replace(/(!?)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)/g, (whole, mark, words, path) => {
    const target = join(dirname(document), path);
    return mark !== "" || pages.includes(target) ? whole : words;
  });
}

/** Puts documents, pictures and the start page into site/pages. */
function putPages() {
  rmSync(PAGES, { recursive: true, force: true });
  const pages = documents();
  for (const document of pages) {
    mkdirSync(dirname(join(PAGES, document)), { recursive: true });
    const text = readFileSync(join(root, document), "utf8");
    writeFileSync(join(PAGES, document), withinPages(document, text, pages));
  }
  for (const name of readdirSync(join(root, "docs"))) {
    if (/\.(svg|png)$/.test(name)) cpSync(join(root, "docs", name), join(PAGES, "docs", name));
  }
  cpSync(join(SITE, "index.md"), join(PAGES, "index.md"));
  cpSync(join(SITE, "public"), join(PAGES, "public"), { recursive: true });
}

/** Runs a program of site/node_modules there. */
async function generate(program, parameters, what) {
  const path = join(SITE, "node_modules", program);
  const { code } = await run(process.execPath, [path, ...parameters], { cwd: SITE });
  if (code !== 0) throw new Error(`${what}; the lines above say why.`);
}

/**
 * Builds the site.
 *
 * @returns {Promise<string>} its folder
 * @throws {Error} one sentence, when a link is dead or a generator fails
 */
export async function buildDocs() {
  const { dead } = followLinks(root, documents());
  if (dead.length > 0) throw new Error(`these links lead nowhere:\n${dead.join("\n")}`);
  await setupSite();
  putPages();
  await generate("typedoc/bin/typedoc", ["--options", "typedoc.json"], "the API has no pages");
  await generate("vitepress/bin/vitepress.js", ["build"], "the site was not built");
  const folder = join(SITE, "dist");
  if (!existsSync(join(folder, "index.html"))) throw new Error("the site has no start page.");
  return folder;
}

if (isMain(import.meta.url)) {
  try {
    say(`the site is in ${await buildDocs()}`);
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
