/**
 * Names of users and groups → their numbers, since Node can change a file's owner only by number.
 *
 * Reads the system's own two files, and asks `getent` for accounts that live elsewhere (LDAP and the like).
 * Changes nothing. File formats: passwd(5), group(5).
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { UsageError } from "../errors.ts";

/** Where accounts are looked up, and the option that names one. */
type Database = "passwd" | "group";
const OPTION = { passwd: "owner", group: "group" } as const;
/** Longest wait for `getent`, which may ask the network, in milliseconds. */
const GETENT_MS = 5_000;

/** The number in the third column of the line that begins with `name:`. */
function numberIn(lines: string, name: string): number | undefined {
  const line = lines.split("\n").find((text) => text.startsWith(`${name}:`));
  const column = line?.split(":")[2];
  return column !== undefined && /^\d+$/.test(column) ? Number(column) : undefined;
}

function fromFile(database: Database, name: string): number | undefined {
  try {
    return numberIn(readFileSync(`/etc/${database}`, "utf8"), name);
  } catch {
    // Systems without this file keep their accounts elsewhere; getent knows where.
    return undefined;
  }
}

function fromSystem(database: Database, name: string): number | undefined {
  try {
    const lines = execFileSync("getent", [database, name], {
      encoding: "utf8",
      timeout: GETENT_MS,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return numberIn(lines, name);
  } catch {
    // No such account, or no getent: both mean that we do not know the name.
    return undefined;
  }
}

/**
 * The number of a user or group.
 *
 * @param database "passwd" for users, "group" for groups
 * @param account  a number, its digits, or a name; undefined: no change
 * @returns −1 for no change, as chown(2) has it
 * @throws UsageError when nobody has that name
 */
export function accountId(database: Database, account: number | string | undefined): number {
  if (account === undefined) return -1;
  if (typeof account === "number") return account;
  if (/^\d+$/.test(account)) return Number(account);
  // A name is an argument of getent; one that looks like an option is none.
  const sound = /^[^-:\s][^:\s]*$/.test(account);
  const id = sound ? (fromFile(database, account) ?? fromSystem(database, account)) : undefined;
  if (id !== undefined) return id;
  throw new UsageError(
    `${OPTION[database]} is ${JSON.stringify(account)}, which this machine does not know; ` +
      "give the name or the number of one that exists.",
  );
}
