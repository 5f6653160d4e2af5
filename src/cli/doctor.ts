/**
 * `postern doctor PLACE…` → what is wrong with a gateway and with the configuration of its web server, each with the place and
 * the line to write.
 *
 * A file is a configuration, anything else the address of an application. Exit status 0: all is well; 1: something is
 * not; 2: wrong words. What is wrong is found in front/nginx-faults.ts and doctor-socket.ts.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { type ConfigFile, readDirectives } from "../front/directives.ts";
import type { Finding } from "../front/finding.ts";
import { nginxFaults } from "../front/nginx-faults.ts";
import { readSecretFile } from "../serve/secret.ts";
import { readTarget } from "./client-address.ts";
import { type ClientScreen, harmless } from "./client-screen.ts";
import { socketFaults } from "./doctor-socket.ts";

/** Where packages put the main file, from which names of included files count. */
const MAIN = "/etc/nginx";

const USAGE = `Usage: postern doctor PLACE… [--protocol NAME] [--json]

Says what is wrong, where, and what to write instead.

  FILE       nginx's configuration: its main file, or the one of a site
  ADDRESS    an application, as for postern request: /run/app/app.sock, fastcgi://127.0.0.1:9000

  --protocol NAME   fastcgi, scgi or ajp, where the address names none [fastcgi]
  --ajp.secret-file PATH   file with the AJP secret, as the web server sends it
  --json            findings as JSON: id, cause, where, fix

Exit status 0: all is well; 1: something is not; 2: wrong words.
`;

function fileAt(path: string): ConfigFile {
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new UsageError(
      `${JSON.stringify(path)} cannot be read (${code}); run the doctor as root, or name another file.`,
      "ERR_USAGE",
      { cause },
    );
  }
}

/** Files by a name with `*` in its last part, as includes have them. */
function matching(pattern: string): string[] {
  const folder = dirname(pattern);
  const parts = basename(pattern)
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const form = new RegExp(`^${parts.join(".*")}$`);
  try {
    const names = readdirSync(folder).filter((name) => form.test(name));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** A site's file includes by names that count from the main file's folder, wherever it lies itself. */
function included(pattern: string, from: string): readonly ConfigFile[] {
  const near = matching(resolve(dirname(from), pattern));
  return (near.length > 0 ? near : matching(resolve(MAIN, pattern))).map(fileAt);
}

function configFaults(path: string): readonly Finding[] {
  const file = fileAt(path);
  if (/^\s*(?:<VirtualHost|ProxyPass|frontend |backend |fastcgi\.server|\$HTTP)/m.test(file.text)) {
    throw new UsageError(
      `${JSON.stringify(path)} is not nginx's; the doctor reads no other configuration yet, and postern config prints a good one.`,
    );
  }
  const found = nginxFaults(readDirectives(file, included));
  if (found !== undefined) return found;
  throw new UsageError(
    `${JSON.stringify(path)} passes nothing to FastCGI or SCGI: there is no fastcgi_pass and no scgi_pass in it.`,
  );
}

function isFile(place: string): boolean {
  try {
    return statSync(place).isFile();
  } catch {
    return false;
  }
}

function findingText({ id, cause, where, fix }: Finding): string {
  return harmless(`${where}: ${id}\n  ${cause}\n  Write: ${fix}\n`);
}

function verdict(places: number, findings: number): string {
  if (findings > 0) return findings === 1 ? "1 finding\n" : `${findings} findings\n`;
  return places === 1 ? "All is well.\n" : `All ${places} are well.\n`;
}

/**
 * Runs the command.
 *
 * @param words what stands behind it
 * @returns the exit status
 * @throws UsageError for wrong words
 */
export async function runDoctor(words: readonly string[], screen: ClientScreen): Promise<number> {
  const { values, positionals } = readWords(words);
  if (values.help === true) {
    await screen.write(USAGE);
    return 0;
  }
  if (positionals.length === 0) {
    throw new UsageError("postern doctor needs a place: a configuration file, or an address.");
  }
  const secretFile = values["ajp.secret-file"];
  const secret =
    secretFile === undefined ? undefined : readSecretFile(secretFile).toString("latin1");
  const findings: Finding[] = [];
  for (const place of positionals) {
    if (isFile(place)) findings.push(...configFaults(place));
    else findings.push(...(await socketFaults(readTarget(place, values.protocol), secret)));
  }
  if (values.json === true) await screen.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else {
    await screen.write(findings.map(findingText).join(""));
    await screen.write(verdict(positionals.length, findings.length));
  }
  return findings.length === 0 ? 0 : 1;
}

function readWords(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        protocol: { type: "string" },
        "ajp.secret-file": { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (cause) {
    const [sentence = ""] = (cause as Error).message.split(". ");
    throw new UsageError(`${sentence}; postern doctor --help lists all.`, "ERR_USAGE", { cause });
  }
}
