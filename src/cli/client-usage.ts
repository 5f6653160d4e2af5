/**
 * The table of the client's options → the help of each of its verbs.
 *
 * Prints nothing itself.
 */
import { CLIENT_OPTIONS, type ClientOption, type ClientVerb } from "./client-words.ts";
import { pair } from "./usage.ts";

/** What stands above and below the options of each verb. */
const TEXTS: Readonly<
  Record<ClientVerb, readonly [head: readonly string[], end: readonly string[]]>
> = {
  request: [
    [
      "Usage: postern request ADDRESS [options]",
      "",
      "Makes one request to an application as a web server would, and prints the body of the answer. What",
      "FastCGI brings on STDERR goes to standard error.",
    ],
    [
      "Exit status 0: answered; 1: the answer is broken, or --fail and status 400 or more; 2: wrong words;",
      "3: nobody is there; 4: not in time.",
      "",
      "Examples:",
      "  postern request -i fastcgi://127.0.0.1:9000/users?page=2",
      "  postern request scgi+unix:/run/app/app.sock:/users -d name=Ada",
      "  postern request fastcgi://127.0.0.1:9000/ --param SCRIPT_FILENAME=/srv/app/index.php",
    ],
  ],
  ping: [
    [
      "Usage: postern ping ADDRESS [options]",
      "",
      "Is the application well? Asks AJP by CPING, FastCGI by GET_VALUES and SCGI by a request for /, where a",
      "status below 500 will do. An address with a path is asked for that path: a status below 400 will do.",
    ],
    [
      "Exit status 0: well; 1: not, for whatever reason; 2: wrong words.",
      "",
      "Example:",
      "  postern ping --quiet --timeout 2 fastcgi+unix:/run/app/app.sock",
    ],
  ],
  load: [
    [
      "Usage: postern load ADDRESS [options]",
      "",
      "Makes the same request over and over on several connections, and prints how many answers came, with",
      "which status, and how fast. Ctrl-C ends it early and prints what there is.",
    ],
    [
      "Exit status 0: every request was answered; 1: some were not, or --fail and a status of 400 or more;",
      "2: wrong words; 3: nobody is there; 4: none in time.",
      "",
      "Example:",
      "  postern load -c 50 --duration 10 fastcgi://127.0.0.1:9000/",
    ],
  ],
  record: [
    [
      "Usage: postern record ADDRESS FILE --listen PLACE",
      "",
      "Stands between a web server, which connects to PLACE, and the application at ADDRESS, and writes what",
      "the web server sends into FILE, until Ctrl-C. FILE holds cookies and secrets: only its owner may read it.",
    ],
    [
      "Example:",
      "  postern record fastcgi+unix:/run/app/app.sock requests.jsonl --listen 127.0.0.1:9001",
    ],
  ],
  replay: [
    [
      "Usage: postern replay ADDRESS FILE [--timeout SECONDS]",
      "",
      "Sends what postern record has written to the application at ADDRESS, one connection after the other,",
      "and prints every status that is another than it was.",
    ],
    [
      "Exit status 0: all statuses are as recorded; 1: some are not; 2: wrong words; 3: nobody is there;",
      "4: not in time.",
    ],
  ],
  "get-values": [
    [
      "Usage: postern get-values ADDRESS [NAME...] [options]",
      "",
      "Asks a FastCGI application for management variables: FCGI_MAX_CONNS, FCGI_MAX_REQS and FCGI_MPXS_CONNS",
      "where no NAME is given. Prints those that it knows, as NAME=VALUE.",
    ],
    [
      "Exit status 0: answered; 1: the answer is broken; 2: wrong words; 3: nobody is there; 4: not in time.",
    ],
  ],
};

function optionText({ name, short, sample, help }: ClientOption): string {
  const value = sample === undefined ? "" : ` ${sample}`;
  return pair(`  ${short === undefined ? "" : `-${short}, `}--${name}${value}`, help);
}

/** The help of a verb, with a line end. */
export function clientUsage(verb: ClientVerb): string {
  const [head, end] = TEXTS[verb];
  const own = CLIENT_OPTIONS.filter(({ verbs }) => verbs.includes(verb));
  return `${[
    ...head,
    "",
    "ADDRESS: fastcgi://HOST:PORT/PATH, scgi://…, ajp://…; fastcgi+unix:SOCKET:/PATH and so on; or without a",
    "protocol SOCKET or HOST:PORT. The path may be left out. Ports, if not given: 9000, 4000, 8009.",
    "",
    ...own.map(optionText),
    "",
    ...end,
  ].join("\n")}\n`;
}
