/**
 * Words of the client's verbs: the grammar of addresses, and every mistake as one sentence that says how to mend it.
 *
 * Starts no process; client-verbs.test.ts does.
 */
import { describe, expect, test } from "vitest";
import { readTarget } from "../../src/cli/client-address.ts";
import { requestParts } from "../../src/cli/client-parts.ts";
import {
  type ClientVerb,
  connectionOf,
  msValue,
  readClientWords,
} from "../../src/cli/client-words.ts";
import { UsageError } from "../../src/errors.ts";

describe("an address", () => {
  test.each([
    ["fastcgi://127.0.0.1:9001/a?b", "fastcgi", { host: "127.0.0.1", port: 9001 }, "/a?b"],
    ["fcgi://app", "fastcgi", { host: "app", port: 9000 }, undefined],
    ["scgi://[::1]/", "scgi", { host: "::1", port: 4000 }, "/"],
    ["ajp://host?a=b", "ajp", { host: "host", port: 8009 }, "/?a=b"],
    ["scgi+unix:/run/x.sock", "scgi", { socket: "/run/x.sock" }, undefined],
    ["ajp+unix:///run/x.sock:/a:/b", "ajp", { socket: "/run/x.sock" }, "/a:/b"],
    ["unix:/run/x.sock:/a", "fastcgi", { socket: "/run/x.sock" }, "/a"],
    ["./x.sock", "fastcgi", { socket: "./x.sock" }, undefined],
    ["localhost:9000/a#b", "fastcgi", { host: "localhost", port: 9000 }, "/a"],
  ])("%s is read", (text, protocol, address, url) => {
    expect(readTarget(text, undefined)).toEqual({ protocol, address, url });
  });

  test("gets its protocol from --protocol where it names none", () => {
    expect(readTarget("/run/x.sock", "scgi").protocol).toBe("scgi");
    expect(readTarget("host:1", "ajp").protocol).toBe("ajp");
  });
});

test.each<[[ClientVerb, ...string[]], string]>([
  [["request"], "Which application?"],
  [["request", "http://127.0.0.1/"], "For HTTP there is curl."],
  [["request", "fastcgi://127.0.0.1:99999/"], "has a port that is not 1 to 65535"],
  [["request", "scgi+unix::/a"], "names no socket"],
  [["request", "scgi://a/", "--protocol", "ajp"], "says scgi; leave one of them out"],
  [["request", "127.0.0.1:9000", "--methd", "PUT"], "did you mean --method?"],
  [["request", "127.0.0.1:9000", "--quiet"], "Unknown option --quiet of postern request"],
  [["request", "127.0.0.1:9000", "-X"], "-X has no value"],
  [["request", "127.0.0.1:9000", "-H", "password"], "--header has no colon"],
  [["request", "127.0.0.1:9000", "-d", "@/nonexistent/a"], "cannot be read (ENOENT)"],
  [["request", "127.0.0.1:9000", "--timeout", "soon"], "it takes seconds"],
  [["request", "127.0.0.1:9000", "--ajp.secret-file", "s"], "is for AJP"],
  [["request", "127.0.0.1:9000", "second"], "is a second word"],
])("%j is a mistake that is explained", ([verb, ...words], sentence) => {
  const read = (): void => {
    const command = readClientWords(verb, words);
    requestParts(command, true);
    connectionOf(command);
    msValue(command, "timeout", 1);
  };
  expect(read).toThrow(UsageError);
  expect(read).toThrow(sentence);
});
