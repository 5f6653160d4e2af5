/**
 * `postern config SERVER …` → configuration files, printed or written into a folder.
 *
 * What stands in them is front/'s; here they get the lines above them that say who made them, where they belong and how the
 * application is started. No file is written over.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { TARGETS, type Target } from "../front/render.ts";
import { nameOf, placeOf, type RenderedFile, shellWord, type Site } from "../front/site.ts";
import { readVersion } from "../serve/version.ts";
import { CONFIG_OPTIONS } from "./config-options.ts";
import { readSite, versionOf } from "./config-site.ts";
import { type ConfigWords, readConfigWords } from "./config-words.ts";
import { optionLine, pair } from "./usage.ts";

/** Longest wait for a web server to say its version, in milliseconds. */
const VERSION_MS = 3_000;

/** The version of the web server that is installed here. */
function installedVersion({ version }: Target): readonly number[] | undefined {
  if (version === undefined) return undefined;
  const [program, ...words] = version;
  // Such programs are often out of the way of ordinary users.
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` };
  const { stdout, stderr } = spawnSync(program, words, {
    env,
    timeout: VERSION_MS,
    encoding: "utf8",
  });
  return versionOf(`${stdout ?? ""}${stderr ?? ""}`);
}

/** How the application is started, for people. */
function startLine({ start }: Site): string {
  const words = [start.app ?? "APP", ...start.options].map(shellWord);
  return `npx postern ${words.join(" ")}`;
}

/** Lines above a file. */
function heading(target: Target, site: Site, { path }: RenderedFile): string[] {
  const version = site.version === undefined ? "" : ` ${site.version.join(".")}`;
  const places = site.backends.map(placeOf).join(", ");
  const starts = target.startsApplication === true;
  return [
    `Made by postern ${readVersion()} for ${target.name}${version}: ${nameOf(site.protocol)}${starts ? "" : ` at ${places}`}.`,
    `Belongs into ${path}${target.check === undefined ? "" : `; then: ${target.check}`}`,
    ...(starts ? [] : [`The application: ${startLine(site)}`]),
  ];
}

function headed(target: Target, site: Site, file: RenderedFile): RenderedFile {
  // A program begins with the name of its interpreter.
  if (target.comment === undefined || file.isExecutable === true) return file;
  const lines = heading(target, site, file).map((line) => `${target.comment} ${line}\n`);
  return { ...file, text: lines.join("") + file.text };
}

function writeAll(files: readonly RenderedFile[], folder: string): string[] {
  const places = files.map((file) => ({ file, path: join(resolve(folder), basename(file.path)) }));
  const there = places.find(({ path }) => existsSync(path));
  if (there !== undefined) {
    throw new UsageError(
      `${JSON.stringify(there.path)} is there already and is not written over; move it, or give --out another folder.`,
    );
  }
  mkdirSync(folder, { recursive: true });
  for (const { file, path } of places) {
    writeFileSync(path, file.text, {
      mode: file.isExecutable === true ? 0o755 : 0o644,
      flag: "wx",
    });
  }
  return places.map(({ path }) => path);
}

/** The help, with a line end. */
function configUsage(): string {
  return `${[
    "Usage: postern config SERVER [APP] [options of serving] [options below] [--out DIR]",
    "",
    "Prints the configuration of a web server for an application that is served with the same options:",
    "protocol, socket or port, script-name, static, sendfile, limits.body-bytes, ajp.secret-file …",
    "",
    ...TARGETS.map(({ name, help }) => pair(`  ${name}`, help)),
    "",
    ...CONFIG_OPTIONS.map(optionLine),
    "",
    "Examples:",
    "  postern config nginx ./app.js --socket /run/app/app.sock --server-name example.org",
    "  postern config apache --protocol ajp --port 8009 --ajp.secret-file /etc/app/secret",
    "  postern config apache-htaccess ./app.js --out ~/public_html",
    "  postern config haproxy --port 9000 --backend 127.0.0.1:9001",
  ].join("\n")}\n`;
}

/**
 * The files of a configuration, each with its heading.
 *
 * @throws UsageError for options that do not go together, or not with this web server
 */
export function configFiles(target: Target, read: ConfigWords): readonly RenderedFile[] {
  const site = readSite(read, {
    node: process.execPath,
    postern: resolve(process.argv[1]!),
    version: installedVersion(target),
  });
  const wanted = target.needs?.(site) ?? [];
  const options = [
    ...site.start.options,
    ...wanted.filter((word) => !site.start.options.includes(word)),
  ];
  const whole: Site = { ...site, start: { ...site.start, options } };
  return target.render(whole).files.map((file) => headed(target, whole, file));
}

/**
 * Runs the command.
 *
 * @param words what stands behind `config`
 * @returns what is to be printed
 * @throws UsageError for anything that cannot be read, and for files that are there already
 */
export function printConfig(words: readonly string[]): string {
  const read = readConfigWords(words);
  const { target } = read;
  if (target === undefined) return configUsage();
  const files = configFiles(target, read);
  const out = read.values.get("out") as string | undefined;
  if (out !== undefined) return `${writeAll(files, out).join("\n")}\n`;
  if (files.length === 1) return files[0]!.text;
  return files.map(({ path, text }) => `--- ${path}\n${text}`).join("");
}
