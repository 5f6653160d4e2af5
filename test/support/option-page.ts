/**
 * The table of options and the docstrings beside it → docs/options.md.
 *
 * Types, ranges, defaults and spellings come from the table; meaning and reasons from the docstrings. Writes no file.
 */
import { optionName } from "../../src/cli/arguments.ts";
import { hasText, OPTIONS, type OptionRow, type OptionType } from "../../src/serve/option-table.ts";
import { variableName } from "../../src/serve/option-values.ts";
import { textOf } from "./documents.ts";

/** Which interface describes which group of options. */
const SOURCES: readonly { path: string; type: string; prefix: string }[] = [
  { path: "src/serve/options.ts", type: "ServeOptions", prefix: "" },
  { path: "src/wire/limits.ts", type: "Limits", prefix: "limits." },
  { path: "src/serve/option-groups.ts", type: "TimeoutOptions", prefix: "timeouts." },
  { path: "src/serve/option-groups.ts", type: "TrustOptions", prefix: "trust." },
  { path: "src/serve/option-groups.ts", type: "AjpOptions", prefix: "ajp." },
  { path: "src/serve/option-groups.ts", type: "ScgiOptions", prefix: "scgi." },
];

const SECTIONS: readonly { title: string; text: string; belongs: (name: string) => boolean }[] = [
  {
    title: "Where to listen, and what to speak",
    text: "",
    belongs: (name) => !name.includes(".") && !/^(signal|on[A-Z]|access|slowLog)/.test(name),
  },
  {
    title: "Logs",
    text: "See [logging.md](logging.md).",
    belongs: (name) => /^(access|slowLog)/.test(name),
  },
  {
    title: "Limits",
    text:
      "Whole numbers from 1; where it stands there, `Infinity` switches one off. Sizes are in bytes as they come over " +
      "the wire.",
    belongs: (name) => name.startsWith("limits."),
  },
  {
    title: "Timeouts",
    text:
      "Milliseconds, whole numbers; 0 switches one off. They are checked twice a second, so an end comes up to " +
      "half a second early or a second late, and less than 750 counts as 750.",
    belongs: (name) => name.startsWith("timeouts."),
  },
  {
    title: "Trust",
    text: "See [security.md](security.md).",
    belongs: (name) => name.startsWith("trust."),
  },
  { title: "AJP", text: "", belongs: (name) => name.startsWith("ajp.") },
  { title: "SCGI", text: "", belongs: (name) => name.startsWith("scgi.") },
  {
    title: "In a program only",
    text: "",
    belongs: (name) => /^(signal|on[A-Z])/.test(name),
  },
];

const HEAD = `# Options

<!-- Made from src/serve/option-table.ts and the docstrings beside it; do not edit. To make it again:
     npx vitest run --project unit test/docs/options.test.ts -u -->

Every option of \`serve\`, \`createServer\` and the command, with its three spellings. In a program options are nested
(\`{ limits: { bodyBytes: 1e6 } }\`), on the command line they have dots (\`--limits.body-bytes 1000000\`, or
\`limits.body-bytes=1000000\`), in the environment underscores (\`POSTERN_LIMITS_BODY_BYTES=1000000\`).

- The program or the command line wins over the environment. Of an address, of \`mode\` and \`umask\`, and of the two
  secrets, the environment gives all or none.
- Empty variables count as not set, but for \`POSTERN_SCRIPT_NAME\`, where empty is a value.
- Yes is \`true\`, \`yes\`, \`on\`, \`t\`, \`y\` or \`1\` in text, no is \`false\`, \`no\`, \`off\`, \`f\`, \`n\` or \`0\`; on the command
  line \`--multiplex\` alone means yes and \`--no-multiplex\` no. Lists have commas.
- An unknown name, a wrong value, or options that contradict each other are an error before anything is opened. Unknown
  variables of the environment alone are not looked at.
`;

/** What an option takes, in words. */
function taken(takes: OptionType): string {
  switch (takes.type) {
    case "integer":
      return takes.infinite === true
        ? `whole number from ${takes.min}, or Infinity`
        : `whole number from ${takes.min} to ${takes.max}`;
    case "boolean":
      return "yes or no";
    case "octal":
      return "permission bits, 0 to 0o777; octal digits in text";
    case "account":
      return "name or id";
    case "engine":
      return "`native`, `typescript` or `auto`";
    case "transport":
      return "`native`, `node` or `auto`";
    case "protocol":
      return "`fastcgi` (`fcgi`), `scgi`, `ajp` (`ajp13`), `http`, a list of these, or `auto`";
    case "descriptor":
      return "number, `stdin`, `systemd` or `systemd:NAME`";
    case "list":
      return "list of addresses and subnets";
    case "folders":
      return "prefixes with a folder each; `PREFIX=DIR` in text, several with commas";
    case "pattern":
      return "regular expression";
    case "function":
      return "function";
    case "signal":
      return "AbortSignal";
    default:
      return takes.empty === true ? "text, may be empty" : "text";
  }
}

function unit(name: string): string {
  if (name.startsWith("timeouts.")) return ", milliseconds";
  return /Bytes$|packetSize$/.test(name) ? ", bytes" : "";
}

/** Docstrings by option name: the description, and what follows `@default`. */
function docstrings(): Map<string, { text: string; fallback: string }> {
  const found = new Map<string, { text: string; fallback: string }>();
  for (const { path, type, prefix } of SOURCES) {
    const body = new RegExp(`export interface ${type} \\{\\n([\\s\\S]*?)\\n\\}`).exec(
      textOf(path),
    )?.[1];
    if (body === undefined) throw new Error(`${path} has no interface ${type}`);
    for (const match of body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+)\??:/g)) {
      const lines = match[1]!.split("\n").map((line) => line.replace(/^\s*\*? ?/, "").trimEnd());
      const [text = "", fallback = ""] = lines
        .join("\n")
        .trim()
        .split(/\s*@default\s*/);
      found.set(prefix + match[2]!, { text: text.trim(), fallback: fallback.replace(/\s+/g, " ") });
    }
  }
  return found;
}

/** `@default 131_072 — why` → the default in words; the table's own value where it has one. */
function fallbackOf(row: OptionRow, written: string): string {
  const [value = "", ...why] = written.split(" — ");
  const reason = why.join(" — ");
  const shown = row.default === undefined ? shownValue(value) : `\`${String(row.default)}\``;
  if (shown === "none" && reason.startsWith("none")) return reason;
  return reason === "" ? shown : `${shown}: ${reason}`;
}

/** `"auto", or …` → `auto`, or …; nothing → none. */
function shownValue(written: string): string {
  if (written === "" || written === "undefined") return "none";
  const quoted = /^"([^"]*)"(.*)$/.exec(written);
  return quoted === null ? `\`${written.replaceAll("`", "")}\`` : `\`${quoted[1]}\`${quoted[2]}`;
}

/** Docs of other files are linked from here. */
function linked(text: string): string {
  return text
    .replace(/\bdocs\/([\w/-]+\.md)/g, "[$1]($1)")
    .replace(/\{@link (\w+)\}/g, "`$1`")
    .replace(/(?<![\w`])ERR_[A-Z_]+/g, "[`$&`](errors.md)");
}

function section(row: OptionRow, doc: { text: string; fallback: string }): string {
  const spellings = hasText(row)
    ? [
        row.takes.type === "boolean"
          ? `\`--${row.default === true ? "no-" : ""}${optionName(row.name)}\``
          : `\`--${optionName(row.name)} ${row.sample ?? "VALUE"}\``,
        `\`${variableName(row.name)}\``,
      ]
    : [];
  const facts = [
    ...(spellings.length === 0 ? [] : [`- ${spellings.join(", ")}`]),
    `- takes: ${taken(row.takes)}${unit(row.name)}`,
    `- default: ${linked(fallbackOf(row, doc.fallback))}`,
  ];
  return `### \`${row.name}\`\n\n${linked(doc.text)}\n\n${facts.join("\n")}\n`;
}

/** The whole page. @throws Error when an option has no docstring */
export function optionPage(): string {
  const docs = docstrings();
  const parts = SECTIONS.map(({ title, text, belongs }) => {
    const rows = OPTIONS.filter(({ name }) => belongs(name)).map((row) => {
      const doc = docs.get(row.name);
      if (doc === undefined) throw new Error(`the option ${row.name} has no docstring`);
      return section(row, doc);
    });
    return [`## ${title}\n`, ...(text === "" ? [] : [`${text}\n`]), ...rows].join("\n");
  });
  return [HEAD, ...parts].join("\n");
}
