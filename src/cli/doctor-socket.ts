/**
 * The address of a gateway → what is wrong with it: nobody there, another protocol, closed to the web server, open to the
 * world, a queue that the system keeps short, the slower engine.
 *
 * Asks as `postern ping` does, and reads what the system shows. Changes nothing.
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ClientConnection, ClientError, type ClientProtocol, request } from "../client/client.ts";
import { selectEngine } from "../engine/select.ts";
import type { Finding } from "../front/finding.ts";
import { type Target, targetText } from "./client-address.ts";
import { closedTo } from "./doctor-accounts.ts";

const PROBE_MS = 2_000;
/** Connections that wait to be accepted, as postern asks for them (option backlog). */
const BACKLOG = 511;
const SOMAXCONN = "/proc/sys/net/core/somaxconn";
/** What a request without the right secret is answered. */
const STATUS_FORBIDDEN = 403;
/** State of a listening socket in /proc/net/tcp. */
const LISTENING = "0A";

/** Does it answer in this protocol? Rejects where nobody can be reached. */
async function speaks(protocol: ClientProtocol, target: Target): Promise<boolean> {
  const connection = new ClientConnection({ protocol, address: target.address });
  try {
    if (protocol === "ajp") await connection.ping(PROBE_MS);
    else if (protocol === "fastcgi") await connection.getValues(undefined, PROBE_MS);
    else {
      const signal = AbortSignal.timeout(PROBE_MS);
      const response = await request({ protocol, address: target.address, url: "/", signal });
      await response.text();
    }
    return true;
  } catch (error) {
    if (error instanceof ClientError && error.code === "ERR_CLIENT_CONNECT") throw error;
    return protocol === "fastcgi" && error instanceof ClientError && error.answered;
  } finally {
    connection.destroy();
  }
}

/** Who cannot be reached, and why. */
function silence(target: Target, error: ClientError): Finding {
  const where = targetText(target);
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  const causes: Readonly<Record<string, readonly [cause: string, fix: string]>> = {
    ENOENT: [
      "There is no such socket.",
      "Start the application with that --socket, or name its own.",
    ],
    ECONNREFUSED: [
      "Nobody listens there.",
      "Start the application there, or name its own address.",
    ],
    EACCES: [
      "This user may not connect.",
      "Run the doctor as root, or as the web server's user (sudo -u www-data).",
    ],
    ENOTSOCK: ["That is no socket.", "Name the socket of the application."],
  };
  const [cause, fix] = causes[code] ?? [
    `It cannot be reached (${code}).`,
    "Look whether it runs, and whether a firewall is between.",
  ];
  return { id: "silent", cause, where, fix };
}

async function protocolFault(target: Target): Promise<Finding | undefined> {
  if (await speaks(target.protocol, target)) return undefined;
  for (const other of ["fastcgi", "ajp", "scgi"] as const) {
    if (other === target.protocol || !(await speaks(other, target))) continue;
    return {
      id: "protocol",
      cause: `It speaks ${other}, and ${target.protocol} was asked for.`,
      where: targetText(target),
      fix: `Start it with --protocol ${target.protocol}, or let the web server speak ${other}.`,
    };
  }
  return {
    id: "protocol",
    cause: `It answers in none of FastCGI, SCGI and AJP within ${PROBE_MS / 1_000} s.`,
    where: targetText(target),
    fix: `Look whether that is postern, and whether it is busy: postern status.`,
  };
}

/** An AJP gateway refuses whoever does not send its secret, by 403. */
async function secretFault(
  target: Target,
  secret: string | undefined,
): Promise<Finding | undefined> {
  const { protocol, address } = target;
  const signal = AbortSignal.timeout(PROBE_MS);
  const asked = request({
    protocol,
    address,
    url: "/",
    method: "HEAD",
    signal,
    ...(secret && { secret }),
  });
  const status = await asked.then(
    (response) => response.status,
    () => 0,
  );
  if (status !== STATUS_FORBIDDEN) return undefined;
  return {
    id: "ajp-secret",
    cause:
      secret === undefined
        ? "It wants a secret (or its application answers 403 at /)."
        : "It wants another secret than the one in that file (or its application answers 403 at /).",
    where: targetText(target),
    fix: "secret=… behind the ajp:// address in Apache, the text of the file that --ajp.secret-file of postern names.",
  };
}

function modeFault(socket: string): Finding | undefined {
  const closed = closedTo(socket);
  if (closed === undefined) return undefined;
  const { mode } = statSync(closed.path);
  const bits = (mode & 0o777).toString(8).padStart(3, "0");
  return {
    id: "socket-mode",
    cause: `The web server's user ${closed.user} may not ${closed.isFolder ? "enter that folder" : "connect"} (mode ${bits}).`,
    where: closed.path,
    fix: closed.isFolder
      ? `chmod o+x ${closed.path}, or a socket in a folder of its own below /run.`
      : `Start postern with --mode 660 --group ${closed.user}.`,
  };
}

/** Is the port open on every address of this machine? */
function isOpenToAll(port: number): boolean {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((path) => {
    try {
      return readFileSync(path, "utf8")
        .split("\n")
        .some((line) => {
          const [, local = "", , state] = line.trim().split(/\s+/);
          return state === LISTENING && new RegExp(`^0+:${wanted}$`).test(local);
        });
    } catch {
      // Another system: it cannot be told.
      return false;
    }
  });
}

function portFault({ address }: Target): Finding | undefined {
  if ("socket" in address || !isOpenToAll(address.port)) return undefined;
  return {
    id: "exposed",
    cause:
      "The port is open on every address: trust.peers and firewalls alone keep others from saying who the client is.",
    where: `port ${address.port}`,
    fix: "Start postern with --host 127.0.0.1, or a --socket; across machines with the one address that the web servers reach.",
  };
}

function queueFault(): Finding | undefined {
  let most: number;
  try {
    most = Number(readFileSync(SOMAXCONN, "utf8"));
  } catch {
    return undefined;
  }
  if (most >= BACKLOG) return undefined;
  return {
    id: "backlog",
    cause: `The system lets ${most} connections wait, postern asks for ${BACKLOG}: bursts are refused.`,
    where: SOMAXCONN,
    fix: "sysctl -w net.core.somaxconn=4096",
  };
}

function engineFault(): Finding | undefined {
  const { name, reason } = selectEngine("auto").choice;
  if (name === "native") return undefined;
  return {
    id: "engine",
    cause: `The TypeScript engine serves, at about twice the work a request: ${reason}.`,
    where: "this installation",
    fix: "Install with a compiler and npm rebuild postern, or a version with a prebuilt addon for this system.",
  };
}

/**
 * What is wrong with it; empty for a good one.
 *
 * @param secret of AJP, as the web server sends it
 */
export async function socketFaults(target: Target, secret?: string): Promise<readonly Finding[]> {
  const { address } = target;
  let protocol: Finding | undefined;
  let refused: Finding | undefined;
  try {
    protocol = await protocolFault(target);
    const isAjp = target.protocol === "ajp" && protocol === undefined;
    if (isAjp) refused = await secretFault(target, secret);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return [silence(target, error)];
  }
  const mode = "socket" in address ? modeFault(resolve(address.socket)) : undefined;
  const found = [protocol, refused, mode, portFault(target), queueFault(), engineFault()];
  return found.filter((one): one is Finding => one !== undefined);
}
