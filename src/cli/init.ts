/**
 * `postern init` → an application, the configuration of its web server and a systemd unit, written into a folder, and what to do next.
 *
 * What the configurations say is config.ts's. No file is written over without --force, package.json never; where one is in the
 * way, nothing is written at all.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../errors.ts";
import { TARGETS } from "../front/render.ts";
import { type RenderedFile, shellWord } from "../front/site.ts";
import { readVersion } from "../serve/version.ts";
import { configFiles } from "./config.ts";
import { readConfigWords } from "./config-words.ts";
import { BEGINNINGS, type Beginning } from "./init-apps.ts";
import { FRONTS, type InitWords, readInitWords } from "./init-words.ts";
import { pair } from "./usage.ts";

const APP = "app.mjs";
/** Folder of what belongs to the machine and not to the application. */
const DEPLOY = "deploy";
/** Options about the web server alone, which the application does not take. */
const WEB_SERVER =
  /^--(?:server-?name|listen-?host|listen-?port|backend|sticky|keep|buffer|read-?timeout|websocket|tls-?\w[\w-]*|server-?version)(?:=|$)/i;

function help(): string {
  return `${[
    "Usage: postern init [--framework NAME] [--front NAME] [options of serving and of postern config]",
    "",
    "Writes an application, the configuration of its web server and a systemd unit; on a terminal it asks.",
    "",
    pair("  --framework NAME", `${BEGINNINGS.map(({ name }) => name).join(", ")} [plain]`),
    pair("  --front NAME", `${FRONTS.join(", ")} [nginx]`),
    pair("  --name NAME", "of the application, its files and its socket [the folder's]"),
    pair("  --dir DIR", "where to write [.]"),
    pair("  --socket PATH", "where the application listens [/run/NAME/NAME.sock]"),
    pair("  --server-name NAME,…", "names of the site [localhost]"),
    pair("  --yes", "ask nothing"),
    pair("  --force", "write over files that are there; package.json never"),
    "",
    "Examples:",
    "  postern init --framework express --front nginx",
    "  postern init --framework koa --front apache --protocol scgi --dir shop",
  ].join("\n")}\n`;
}

/** A file, by its path in the folder. */
interface Piece {
  readonly path: string;
  readonly text: string;
  /** Where it belongs on the machine. */
  readonly rendered?: RenderedFile;
}

/** The command that serves the application. */
function startWords(words: InitWords): string[] {
  return [APP, ...words.rest.filter((word) => !WEB_SERVER.test(word))];
}

function rendered(target: string, words: InitWords): Piece[] {
  const read = readConfigWords([target, APP, ...words.rest]);
  const [file] = configFiles(read.target!, read);
  return [{ path: join(DEPLOY, basename(file!.path)), text: file!.text, rendered: file! }];
}

function packageFile({ packages }: Beginning, words: InitWords): Piece {
  const start = ["postern", ...startWords(words)].map(shellWord).join(" ");
  const dependencies = Object.fromEntries([
    ["postern", `^${readVersion()}`],
    ...packages.map((name) => [name, "*"]),
  ]);
  const content = {
    name: words.name.toLowerCase(),
    private: true,
    type: "module",
    scripts: { start },
    dependencies,
  };
  return { path: "package.json", text: `${JSON.stringify(content, undefined, 2)}\n` };
}

function write(pieces: readonly Piece[], words: InitWords): void {
  const inTheWay = pieces.find(({ path }) => existsSync(path));
  if (inTheWay !== undefined && !words.isForced) {
    throw new UsageError(
      `${JSON.stringify(join(words.folder, inTheWay.path))} is there already, so nothing is written; move it, give --dir another folder, or --force.`,
    );
  }
  for (const { path, text } of pieces) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** What remains to be done, each a line for the shell. */
function nextSteps(beginning: Beginning, words: InitWords, pieces: readonly Piece[]): string[] {
  const isOwnPackage = pieces.some(({ path }) => path === "package.json");
  const sudo = process.getuid?.() === 0 ? "" : "sudo ";
  const socket = words.rest.find((word) => word.startsWith("--socket="))?.slice(9);
  const group = socket === undefined ? [] : ["--group=www-data"];
  const serving = ["npx", "postern", ...startWords(words), ...group].map(shellWord).join(" ");
  const place = (piece: Piece): string =>
    `${sudo}cp ${shellWord(piece.path)} ${shellWord(piece.rendered!.path)}`;
  const front = pieces.find(({ path }) => path.startsWith(DEPLOY) && !path.endsWith(".service"));
  const unit = pieces.find(({ path }) => path.endsWith(".service"))!;
  const check = TARGETS.find(({ name }) => name === words.front)?.check;
  const packages = beginning.packages.join(" ");
  const install = isOwnPackage ? ["npm install"] : packages && [`npm install ${packages}`];
  return [
    ...(install || []),
    ...(socket === undefined ? [] : [`${sudo}mkdir -p ${shellWord(dirname(socket))}`]),
    `${sudo}${serving} &`,
    ...(front === undefined ? [] : [place(front)]),
    ...(front === undefined || check === undefined
      ? []
      : [
          check
            .split(" && ")
            .map((part) => `${sudo}${part}`)
            .join(" && "),
        ]),
    "",
    "For good, by systemd, once the unit's User is an account of this machine:",
    place(unit),
    `${sudo}systemctl daemon-reload && ${sudo}systemctl enable --now ${basename(unit.path, ".service")}`,
  ];
}

/**
 * Runs the command.
 *
 * @param args what stands behind `init`
 * @returns what is to be printed
 * @throws UsageError for anything that cannot be read, and for files that are in the way
 */
export async function initialise(args: readonly string[]): Promise<string> {
  const words = await readInitWords(args);
  if (words.isHelp) return help();
  const isElsewhere = words.folder !== process.cwd();
  mkdirSync(words.folder, { recursive: true });
  // Paths of options and units count from the application's folder.
  process.chdir(words.folder);
  const beginning = BEGINNINGS.find(({ name }) => name === words.framework)!;
  const pieces: Piece[] = [
    { path: APP, text: beginning.text },
    ...(words.front === "none" ? [] : rendered(words.front, words)),
    ...rendered("systemd", words),
    ...(existsSync("package.json") ? [] : [packageFile(beginning, words)]),
  ];
  write(pieces, words);
  const steps = nextSteps(beginning, words, pieces);
  const all = isElsewhere ? [`cd ${shellWord(words.folder)}`, ...steps] : steps;
  return `${[
    ...pieces.map(({ path }) => `wrote ${path}`),
    "",
    "Next:",
    ...all.map((line) => (line === "" || line.startsWith("For ") ? line : `  ${line}`)),
  ].join("\n")}\n`;
}
