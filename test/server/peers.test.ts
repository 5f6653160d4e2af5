/**
 * The allow-list: which peers pass, bit by bit (FastCGI §3.2, reliability H-11, X-5).
 * Asks the check itself; that a refused connection is closed unread is a test of the server.
 */
import { describe, expect, test } from "vitest";
import { checkPeers, createPeerCheck, readWebServerAddresses } from "../../src/server/peers.ts";

const trust = (
  peers: readonly string[] | undefined,
  addresses?: string,
): Parameters<typeof createPeerCheck>[0] => ({
  peers,
  allowRemote: false,
  webServerAddresses: readWebServerAddresses(addresses),
  user: true,
  tls: true,
});

describe("trust.peers (H-11, X-5)", () => {
  test("lets everybody pass when there is no list", () => {
    const check = createPeerCheck(trust(undefined), "tcp");
    expect(check.allows("203.0.113.9")).toBe(true);
    expect(check.allows("::1")).toBe(true);
  });

  test.each([
    ["192.0.2.10", "192.0.2.10", true],
    ["192.0.2.10", "192.0.2.11", false],
    ["192.0.2.10", "::ffff:192.0.2.10", true],
    ["192.0.2.10", "::ffff:192.0.2.11", false],
    ["::ffff:192.0.2.10", "192.0.2.10", true],
    ["::ffff:c000:20a", "192.0.2.10", true],
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["::ffff:192.0.2.0/120", "192.0.2.77", true],
    ["::ffff:192.0.2.0/120", "192.0.3.77", false],
    ["0.0.0.0/0", "198.51.100.1", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::1", "2001:db8::1", true],
    ["2001:db8::1", "2001:db8::2", false],
    ["2001:db8::1", "2001:0db8:0:0:0:0:0:0001", true],
    // The last four bytes of an IPv6 address count as well.
    ["2001:db8::1:0:1", "2001:db8::2:0:1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["fe80::1", "fe80::1%eth0", true],
    ["fe80::1", "fe80::2%eth0", false],
    ["::1", "127.0.0.1", false],
  ])("with %s, %s passes: %s", (entry, peer, passes) => {
    expect(createPeerCheck(trust([entry]), "tcp").allows(peer)).toBe(passes);
  });

  test("an empty list lets nobody pass", () => {
    expect(createPeerCheck(trust([]), "tcp").allows("127.0.0.1")).toBe(false);
  });

  test("a TCP peer that has gone, or whose address is unreadable, does not pass a list", () => {
    const check = createPeerCheck(trust(["0.0.0.0/0"]), "tcp");
    expect(check.allows(undefined)).toBe(false);
    expect(check.allows("not an address")).toBe(false);
  });

  test("does not hold for unix sockets", () => {
    expect(createPeerCheck(trust(["192.0.2.1"]), "unix").allows(undefined)).toBe(true);
  });

  test.each([
    "localhost",
    "192.0.2.0/33",
    "192.0.2.0/-1",
    "2001:db8::/129",
    "192.0.2",
    "1.2.3.4/",
    " 1.2.3.4",
    "",
  ])("refuses the entry %j by name", (entry) => {
    expect(() => checkPeers(["127.0.0.1", entry])).toThrow(
      `trust.peers has ${JSON.stringify(entry)}`,
    );
  });
});

describe("FCGI_WEB_SERVER_ADDRS (FastCGI §3.2)", () => {
  test("lets the listed addresses pass, with spaces and IPv6 among them", () => {
    const check = createPeerCheck(trust(undefined, "192.0.2.1, 2001:db8::1"), "tcp");
    expect(check.allows("192.0.2.1")).toBe(true);
    expect(check.allows("::ffff:192.0.2.1")).toBe(true);
    expect(check.allows("2001:db8::1")).toBe(true);
    expect(check.allows("192.0.2.2")).toBe(false);
  });

  test.each(["", "localhost", "192.0.2.0/24", ",,"])("is nobody when it is %j", (text) => {
    expect(createPeerCheck(trust(undefined, text), "tcp").allows("192.0.2.1")).toBe(false);
    expect(createPeerCheck(trust(undefined, text), "tcp").allows("127.0.0.1")).toBe(false);
  });

  test("keeps out peers on unix sockets, since it allows TCP peers only", () => {
    expect(createPeerCheck(trust(undefined, "127.0.0.1"), "unix").allows(undefined)).toBe(false);
  });

  test("and trust.peers both have to agree", () => {
    const check = createPeerCheck(trust(["192.0.2.0/24"], "192.0.2.1,198.51.100.1"), "tcp");
    expect(check.allows("192.0.2.1")).toBe(true);
    expect(check.allows("192.0.2.2")).toBe(false);
    expect(check.allows("198.51.100.1")).toBe(false);
  });
});
