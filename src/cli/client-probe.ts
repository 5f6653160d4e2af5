/**
 * `postern ping` and `postern get-values`: is the application there, and what does it say of itself.
 *
 * A ping asks as little as its protocol allows: CPING of AJP, GET_VALUES of FastCGI, a request where there is neither.
 * Its exit statuses are those of container health checks: 0 well, 1 not, whatever the reason.
 */
import { ClientConnection, ClientError, request } from "../client/client.ts";
import { UsageError } from "../errors.ts";
import { targetText } from "./client-address.ts";
import { requestParts } from "./client-parts.ts";
import { type ClientScreen, harmless } from "./client-screen.ts";
import { type ClientCommand, connectionOf, msValue } from "./client-words.ts";

const PROBE_MS = 5_000;
/** From here on a status says that the application itself failed. */
const STATUS_BROKEN = 500;
/** From here on a status says that the path that was asked for is not served. */
const STATUS_REFUSED = 400;

/** A request; resolves to what is said of its answer. */
async function askPath(command: ClientCommand, signal: AbortSignal): Promise<string> {
  const isChosen = command.target.url !== undefined;
  const parts = requestParts(command, true);
  const response = await request({ ...connectionOf(command), ...parts, signal });
  for await (const _ of response.body) {
    // Nobody wants it.
  }
  // Nobody promised that there is something at /, so only a failure counts there.
  if (response.status < (isChosen ? STATUS_REFUSED : STATUS_BROKEN)) {
    return `status ${response.status}`;
  }
  throw new ClientError(
    "ERR_CLIENT_RESPONSE",
    `(status ${response.status} for ${harmless(parts.url ?? "/")})`,
    true,
  );
}

/** The question of the protocol itself. */
async function askProtocol(command: ClientCommand, timeoutMs: number): Promise<string> {
  const connection = new ClientConnection(connectionOf(command));
  try {
    if (command.target.protocol === "ajp") {
      await connection.ping(timeoutMs);
      return "CPONG";
    }
    await connection.getValues(undefined, timeoutMs);
    return "GET_VALUES_RESULT";
  } catch (error) {
    // UNKNOWN_TYPE is an answer too: it is there, and takes requests.
    const isAlive = error instanceof ClientError && error.answered;
    if (isAlive && command.target.protocol === "fastcgi") return "UNKNOWN_TYPE";
    throw error;
  } finally {
    connection.destroy();
  }
}

/**
 * Runs `postern ping`.
 *
 * @returns 0
 * @throws ClientError, or the signal's reason, for whatever is not well
 */
export async function runPing(command: ClientCommand, screen: ClientScreen): Promise<number> {
  const timeoutMs = msValue(command, "timeout", PROBE_MS);
  const { protocol, url } = command.target;
  const startedMs = performance.now();
  const signal = AbortSignal.timeout(timeoutMs);
  const asksPath = url !== undefined || protocol === "scgi";
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  const asked = asksPath ? askPath(command, signal) : askProtocol(command, timeoutMs);
  // Connecting itself may take longer than anybody wants to wait.
  const answer = await Promise.race([asked, late]);
  const tookMs = performance.now() - startedMs;
  if (!command.values.has("quiet")) {
    await screen.write(
      `${targetText(command.target)} is well: ${answer} in ${tookMs.toFixed(1)} ms\n`,
    );
  }
  return 0;
}

/**
 * Runs `postern get-values`.
 *
 * @returns 0
 * @throws UsageError for other protocols than FastCGI; ClientError
 */
export async function runGetValues(command: ClientCommand, screen: ClientScreen): Promise<number> {
  if (command.target.protocol !== "fastcgi") {
    throw new UsageError(
      `GET_VALUES exists in FastCGI only, and the protocol is ${command.target.protocol}; use postern ping.`,
    );
  }
  const connection = new ClientConnection(connectionOf(command));
  const names = command.rest.length === 0 ? undefined : command.rest;
  const timeoutMs = msValue(command, "timeout", PROBE_MS);
  try {
    const values = await connection.getValues(names, timeoutMs);
    const lines = Object.entries(values).map(
      ([name, value]) => `${harmless(`${name}=${value}`)}\n`,
    );
    const isJson = command.values.has("json");
    await screen.write(isJson ? `${JSON.stringify(values, undefined, 2)}\n` : lines.join(""));
    return 0;
  } finally {
    connection.destroy();
  }
}
