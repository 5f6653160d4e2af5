/**
 * The table of options → the text of `--help`.
 *
 * Prints nothing itself, and knows no option by name but the groups it puts them in.
 */
import { hasText, OPTIONS, type OptionRow } from "../serve/option-table.ts";
import { optionName } from "./arguments.ts";
import { PROCESS_OPTIONS } from "./process-options.ts";

/** Where the help clause begins, in characters. */
const COLUMN = 34;

function shownDefault({ default: value }: OptionRow): string {
  if (value === undefined || value === false) return "";
  return ` [${String(value)}]`;
}

/** Name and clause side by side, or below each other where the name is long. */
export function pair(name: string, clause: string): string {
  const gap = name.length < COLUMN - 1 ? name.padEnd(COLUMN) : `${name}\n${" ".repeat(COLUMN)}`;
  return `${gap}${clause}`;
}

/** An option, its default and what it does. */
export function optionLine(option: OptionRow): string {
  const name = `  --${optionName(option.name)}${option.sample === undefined ? "" : ` ${option.sample}`}`;
  return pair(name, `${option.help}${shownDefault(option)}`);
}

/** The whole help, with a line end. */
export function usage(): string {
  const rows = OPTIONS.filter(hasText);
  const section = (title: string, belongs: (name: string) => boolean): string[] => [
    "",
    `${title}:`,
    ...rows.filter(({ name }) => belongs(name)).map(optionLine),
  ];
  return `${[
    "postern serves a Node.js application behind a web server over FastCGI, SCGI or AJP.",
    "",
    "Usage: postern APP [--name value | name=value]...",
    "",
    "APP is the path of a module that exports, as default, app or handler: a function (req, res), an",
    "object with fetch, an application of Express, Koa, Fastify or NestJS, a promise of one, or a function",
    "without parameters that returns one. Programs that listen by themselves run unmodified by",
    "node --import postern/register PROGRAM, with the options in the environment.",
    "Without socket, port and fd it serves the listening socket on descriptor 0, as web servers pass it,",
    "or the one of systemd. The environment spells the same names: POSTERN_PORT, POSTERN_LIMITS_BODY_BYTES.",
    ...section("Options", (name) => !name.includes(".")),
    "",
    "Processes and files:",
    ...PROCESS_OPTIONS.map(optionLine),
    ...section("Who may connect, and AJP and SCGI", (name) => /^(trust|ajp|scgi)\./.test(name)),
    ...section("Limits (whole numbers, or Infinity)", (name) => name.startsWith("limits.")),
    ...section("Timeouts (milliseconds; 0 is none)", (name) => name.startsWith("timeouts.")),
    "",
    "Others:",
    pair("  --help, --version", "show this, or which version and engine this is"),
    "",
    "The words of Django's runfcgi do, in any case: postern app.js method=prefork socket=/run/app/s",
    "pidfile=/run/app/pid. With them and an address it becomes a daemon unless daemonize=false.",
    "SIGHUP loads the application anew, SIGUSR1 opens logs anew, SIGTERM finishes what runs and ends.",
    "",
    "Of one that runs with workers: postern status, top, workers, reload, upgrade, stop, scale N, reopen,",
    "with its --socket or --pidfile; see postern status --help. An application of such a name is written",
    "./status. SIGUSR2 does as postern upgrade.",
    "",
    "For the web server: postern config nginx|apache|lighttpd|haproxy|… prints its configuration for the",
    "same options; see postern config --help. postern init writes it, an application and a systemd unit.",
    "postern completion bash|zsh|fish prints a script by which the shell completes all this.",
    "",
    "To ask an application as a web server would: postern request, ping, get-values, load,",
    "record, replay; see postern request --help. As in postern request -i fastcgi://127.0.0.1:9000/path.",
    "",
    "What is wrong with it, or with nginx in front of it: postern doctor ADDRESS|FILE; see postern doctor --help.",
    "",
    "Examples:",
    "  postern ./app.js --socket /run/app/app.sock --workers 4",
    "  postern ./app.js --protocol scgi --port 9000",
    "  postern ./app.js --protocol ajp --port 8009 --ajp.secret-file /etc/app/secret",
    "  postern ./app.js --protocol auto --port 8080",
  ].join("\n")}\n`;
}

/** The help of `postern status` and its like, with a line end. */
export function verbUsage(): string {
  return `${[
    "Usage: postern VERB --socket PATH | --pidfile PATH | --control PATH [--json]",
    "",
    pair("  status", "what runs, and every worker"),
    pair("  top", "the same, over and over [--interval SECONDS] [--count FRAMES]"),
    pair("  workers", "the workers alone"),
    pair("  reload", "new workers with new code; the old ones go on if that fails"),
    pair("  upgrade", "a new primary: new node, new postern, no connection lost"),
    pair("  scale N", "another number of workers"),
    pair("  reopen", "opens log files anew"),
    pair("  stop", "finishes what runs, and waits for the end"),
    "",
    "--socket and --pidfile are as postern was started with, and POSTERN_SOCKET does as well; --control is",
    "the control socket itself. Exit status 0: done; 1: refused or failed; 2: wrong words; 3: nobody answers.",
  ].join("\n")}\n`;
}
