/**
 * `postern request`: one request as a web server would make it → its answer on standard output or in a file.
 *
 * FastCGI's error text goes to standard error as it comes, each line with `stderr: ` before it. Retries nothing.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import { once } from "node:events";
import { type ClientResponse, request } from "../client/client.ts";
import { UsageError } from "../errors.ts";
import { requestParts } from "./client-parts.ts";
import { type ClientScreen, harmless, writeTo } from "./client-screen.ts";
import { type ClientCommand, connectionOf, lastValue, msValue } from "./client-words.ts";

const REQUEST_MS = 60_000;
/** The first status that says that a request failed. */
const STATUS_FAILED = 400;

/** Error text in whole lines, each with a mark. */
class ErrorLines {
  readonly #screen: ClientScreen;
  #rest = "";

  constructor(screen: ClientScreen) {
    this.#screen = screen;
  }

  add(bytes: Uint8Array): void {
    const lines = (this.#rest + Buffer.from(bytes).toString("latin1")).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#say(line);
  }

  end(): void {
    if (this.#rest !== "") this.#say(this.#rest);
    this.#rest = "";
  }

  #say(line: string): void {
    const text = Buffer.from(line, "latin1").toString().replace(/\r$/, "");
    this.#screen.note(`stderr: ${harmless(text)}\n`);
  }
}

/** Status and headers, as HTTP writes them. */
function headText({ status, reason, rawHeaders }: ClientResponse): string {
  const lines = [`HTTP/1.1 ${status}${reason === "" ? "" : ` ${reason}`}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return `${lines.map(harmless).join("\n")}\n\n`;
}

async function openFile(path: string): Promise<WriteStream> {
  const file = createWriteStream(path);
  try {
    await once(file, "open");
    return file;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw new UsageError(
      `--output is ${JSON.stringify(path)}, which cannot be written (${code}); give a path in a folder that is there.`,
      "ERR_USAGE",
      { cause },
    );
  }
}

async function writeBody(response: ClientResponse, path: string | undefined, screen: ClientScreen) {
  if (path === undefined || path === "-") {
    for await (const piece of response.body) await screen.write(piece);
    return;
  }
  const file = await openFile(path);
  let failure: Error | undefined;
  file.on("error", (error) => {
    failure = error;
  });
  for await (const piece of response.body) {
    await writeTo(file, piece);
    if (failure !== undefined) throw failure;
  }
  file.end();
  if (failure === undefined) await once(file, "close");
  if (failure !== undefined) throw failure;
}

/**
 * Runs the command.
 *
 * @returns the exit status: 0, or 1 where `--fail` was given and the answer says 400 or more
 * @throws ClientError, or the signal's reason when it takes too long; UsageError
 */
export async function runRequest(command: ClientCommand, screen: ClientScreen): Promise<number> {
  const signal = AbortSignal.timeout(msValue(command, "timeout", REQUEST_MS));
  const lines = new ErrorLines(screen);
  const onStderr = (bytes: Uint8Array): void => lines.add(bytes);
  const parts = requestParts(command, true);
  try {
    const response = await request({ ...connectionOf(command), ...parts, signal, onStderr });
    const hasFailed = command.values.has("fail") && response.status >= STATUS_FAILED;
    if (command.values.has("include")) await screen.write(headText(response));
    if (hasFailed) {
      for await (const _ of response.body) {
        // Nobody wants it.
      }
    } else {
      await writeBody(response, lastValue(command, "output"), screen);
    }
    lines.end();
    if ((response.appStatus ?? 0) !== 0) {
      screen.note(
        `postern: The application ended the request with appStatus ${response.appStatus}.\n`,
      );
    }
    if (hasFailed) screen.note(`postern: The answer has status ${response.status}.\n`);
    return hasFailed ? 1 : 0;
  } finally {
    lines.end();
  }
}
