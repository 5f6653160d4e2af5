/**
 * `postern completion bash|zsh|fish` → a script by which that shell completes postern's words.
 *
 * Everything stands in the script, made of the tables of options: no process is started while somebody types. Installs nothing.
 */
import { UsageError } from "../errors.ts";
import { TARGETS } from "../front/render.ts";
import { hasText, OPTIONS } from "../serve/option-table.ts";
import { closest } from "../serve/suggestion.ts";
import { optionName } from "./arguments.ts";
import { CLIENT_OPTIONS, CLIENT_VERBS } from "./client-words.ts";
import { CONFIG_OPTIONS } from "./config-options.ts";
import { BEGINNINGS } from "./init-apps.ts";
import { FRONTS } from "./init-words.ts";
import { PROCESS_OPTIONS } from "./process-options.ts";
import { VERBS } from "./verbs.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const dashed = (names: readonly string[]): string[] => names.map((name) => `--${optionName(name)}`);
const SERVING = dashed([...OPTIONS.filter(hasText), ...PROCESS_OPTIONS].map(({ name }) => name));
const INIT = dashed(["framework", "front", "name", "dir", "yes", "force"]);
const CONFIG = dashed(CONFIG_OPTIONS.map(({ name }) => name));

/** What may stand as first word, beside an application's path. */
const FIRST: readonly string[] = [
  ...VERBS,
  ...CLIENT_VERBS,
  "config",
  "doctor",
  "init",
  "completion",
];
/** What may stand behind a first word, or behind an option. */
const BEHIND: Readonly<Record<string, readonly string[]>> = {
  config: TARGETS.map(({ name }) => name),
  completion: SHELLS,
  "--framework": BEGINNINGS.map(({ name }) => name),
  "--front": FRONTS,
  "--protocol": ["fastcgi", "scgi", "ajp", "http", "auto"],
  "--engine": ["native", "typescript", "auto"],
};
/** Options by the first word; `*` is an application. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    VERBS.map((verb) => [verb, dashed(["socket", "pidfile", "control", "json", "help"])]),
  ),
  ...Object.fromEntries(
    CLIENT_VERBS.map((verb) => [
      verb,
      [...CLIENT_OPTIONS.filter(({ verbs }) => verbs.includes(verb)), { name: "help" }].map(
        ({ name }) => `--${name}`,
      ),
    ]),
  ),
  config: [...SERVING, ...CONFIG, "--help"],
  init: [...INIT, ...SERVING, ...CONFIG, "--help"],
  doctor: ["--protocol", "--ajp.secret-file", "--json", "--help"],
  completion: [],
  "*": [...SERVING, "--help", "--version"],
};

/** Branches of a `case` that put words together. */
function branches(table: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(table)
    .map(([name, words]) => `    ${name}) words='${words.join(" ")}' ;;`)
    .join("\n");
}

const BASH = `# Completion of postern for bash. In ~/.bashrc: eval "$(npx postern completion bash)"
_postern() {
  local current=\${COMP_WORDS[COMP_CWORD]} former=\${COMP_WORDS[COMP_CWORD-1]} words=
  case $former in
${branches(BEHIND)}
  esac
  if [[ -z $words && $COMP_CWORD -gt 1 && $current == -* ]]; then
    case \${COMP_WORDS[1]} in
${branches(OPTIONS_OF)}
    esac
  elif [[ -z $words && $COMP_CWORD -eq 1 ]]; then
    words='${[...FIRST, "--help", "--version"].join(" ")}'
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _postern postern
`;

const ZSH = `#compdef postern
# Completion of postern for zsh. In ~/.zshrc, behind compinit: eval "$(npx postern completion zsh)"
_postern() {
  local current=\${words[CURRENT]} former=\${words[CURRENT-1]} first=\${words[2]}
  local known=
  case $former in
${branches(BEHIND).replaceAll("words=", "known=")}
  esac
  if [[ -z $known && $CURRENT -gt 2 && $current == -* ]]; then
    case $first in
${branches(OPTIONS_OF).replaceAll("words=", "known=")}
    esac
  elif [[ -z $known && $CURRENT -eq 2 ]]; then
    known='${[...FIRST, "--help", "--version"].join(" ")}'
  fi
  if [[ -n $known ]]; then compadd -- \${=known}; fi
  if [[ $current != -* ]]; then _files; fi
}
compdef _postern postern
`;

function fish(): string {
  const firsts = FIRST.join(" ");
  const lines = Object.entries(OPTIONS_OF).flatMap(([first, options]) => {
    const when =
      first === "*"
        ? `not __fish_seen_subcommand_from ${firsts}`
        : `__fish_seen_subcommand_from ${first}`;
    return options.map((option) => {
      const words = BEHIND[option];
      const values = words === undefined ? "" : ` -x -a '${words.join(" ")}'`;
      return `complete -c postern -n '${when}' -l ${option.slice(2)}${values}`;
    });
  });
  return `# Completion of postern for fish: npx postern completion fish > ~/.config/fish/completions/postern.fish
complete -c postern -n __fish_use_subcommand -a '${firsts}'
${["config", "completion"]
  .map(
    (name) =>
      `complete -c postern -n '__fish_seen_subcommand_from ${name}' -a '${BEHIND[name]!.join(" ")}'`,
  )
  .join("\n")}
${lines.join("\n")}
`;
}

/**
 * Runs the command.
 *
 * @param words what stands behind `completion`
 * @returns the script
 * @throws UsageError for a shell that nobody knows
 */
export function completionScript(words: readonly string[]): string {
  const [shell, ...more] = words;
  if (more.length > 0 || !(SHELLS as readonly (string | undefined)[]).includes(shell)) {
    const meant = shell === undefined ? undefined : closest(shell, SHELLS);
    const remedy = meant === undefined ? "" : ` Did you mean ${meant}?`;
    throw new UsageError(
      `postern completion takes one shell, ${SHELLS.join(" or ")}, as in: eval "$(npx postern completion bash)".${remedy}`,
    );
  }
  return { bash: BASH, zsh: ZSH, fish: fish() }[shell as Shell];
}
