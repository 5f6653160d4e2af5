/**
 * Allow-lists of addresses → one question: may this peer talk to us?
 *
 * Looks at addresses only; what a peer then says is somebody else's to believe. Connections refused here are closed
 * before a byte of them is read. FastCGI §3.2 (FCGI_WEB_SERVER_ADDRS) and reliability case H-11: every bit of an
 * address counts, and an IPv4 address may come dressed as IPv6.
 */
import { BlockList, isIP } from "node:net";
import { UsageError } from "../errors.ts";
import type { TrustSettings } from "./settings.ts";

/** Answers whether a peer may connect. */
export interface PeerCheck {
  /**
   * @param remoteAddress as `net.Socket` gives it; undefined for a peer on a unix socket
   * @returns false when the connection is to be closed unread
   */
  allows(remoteAddress: string | undefined): boolean;
}

/** The check where nobody is refused: it needs no address. */
export const EVERYBODY: PeerCheck = { allows: () => true };

/** One entry of an allow-list: an address, or the addresses that share its first bits. */
interface Entry {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  readonly prefixBits: number;
}

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
const MAPPED_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/** `::ffff:192.0.2.1`, in either spelling → `192.0.2.1`; without scope id; anything else unchanged. */
function plain(address: string): string {
  const scope = address.indexOf("%");
  const bare = scope < 0 ? address : address.slice(0, scope);
  const dotted = MAPPED.exec(bare)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = MAPPED_HEX.exec(bare);
  if (hex === null) return bare;
  const [high, low] = [Number.parseInt(hex[1]!, 16), Number.parseInt(hex[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Reads `192.0.2.1`, `2001:db8::/32` and the like; undefined when it is neither address nor subnet. */
function readEntry(text: string): Entry | undefined {
  const slash = text.indexOf("/");
  const written = slash < 0 ? text : text.slice(0, slash);
  if (isIP(written) === 0) return undefined;
  const address = plain(written);
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  const bits = family === "ipv4" ? 32 : 128;
  if (slash < 0) return { address, family, prefixBits: bits };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return undefined;
  // A mapped subnet counts its prefix from the start of the IPv6 form.
  const prefixBits = Number(digits) - (family === "ipv4" && written.includes(":") ? 96 : 0);
  return prefixBits < 0 || prefixBits > bits ? undefined : { address, family, prefixBits };
}

/**
 * Checks the entries of `trust.peers`, or of another option.
 *
 * @throws UsageError naming the first that is neither an address nor a subnet
 */
export function checkPeers(entries: readonly string[], option = "trust.peers"): void {
  for (const text of entries) {
    if (readEntry(text) !== undefined) continue;
    throw new UsageError(
      `${option} has ${JSON.stringify(text)}; each entry is an IPv4 or IPv6 address or a subnet such as 192.0.2.0/24.`,
    );
  }
}

/**
 * Reads FCGI_WEB_SERVER_ADDRS: addresses with commas between them; what is no address is left out.
 *
 * @returns undefined when the variable is not set; empty when it names nobody
 */
export function readWebServerAddresses(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(",")
    .map((entry) => entry.trim())
    .filter((entry) => isIP(entry) !== 0);
}

function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of entries) {
    const entry = readEntry(text);
    if (entry !== undefined) list.addSubnet(entry.address, entry.prefixBits, entry.family);
  }
  return list;
}

/**
 * Makes the check for one listening address. With both lists a peer has to be on both.
 *
 * @param trust     the lists; entries were checked by {@link checkPeers}
 * @param transport how peers come: on a unix socket they have no address, and file permissions are the check,
 *   unless FCGI_WEB_SERVER_ADDRS is set, which allows TCP peers only (FastCGI §3.2)
 */
export function createPeerCheck(trust: TrustSettings, transport: "tcp" | "unix"): PeerCheck {
  if (transport === "unix") {
    const allowed = trust.webServerAddresses === undefined;
    return allowed ? EVERYBODY : { allows: () => false };
  }
  const lists = [trust.peers, trust.webServerAddresses]
    .filter((entries) => entries !== undefined)
    .map(blockListOf);
  if (lists.length === 0) return EVERYBODY;
  return {
    allows(remoteAddress) {
      // A TCP peer without address is one that has already gone.
      if (remoteAddress === undefined) return false;
      const address = plain(remoteAddress);
      const version = isIP(address);
      if (version === 0) return false;
      const family = version === 4 ? "ipv4" : "ipv6";
      return lists.every((list) => list.check(address, family));
    },
  };
}
