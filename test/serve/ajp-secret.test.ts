/**
 * A secret in an option, a file or a variable → its hash and nothing else; short, double and missing ones are refused.
 * Opens the file of a secret; how a request is compared with it is not here.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { normalizeOptions } from "../../src/serve/options.ts";
import { refusal, SECRET } from "./refusal.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-options-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("the AJP secret (A-3)", () => {
  const file = join(folder, "secret");
  writeFileSync(file, `${SECRET}\r\n`, { mode: 0o600 });
  test.each([
    [{ ajp: { secret: SECRET } }, {}],
    [{ ajp: { secretFile: file } }, {}],
    [{}, { POSTERN_AJP_SECRET: SECRET }],
    [{}, { POSTERN_AJP_SECRET_FILE: file }],
    [{ ajp: { secret: SECRET } }, { POSTERN_AJP_SECRET_FILE: "/nowhere" }],
  ])("from %j and %j is kept as its hash alone", (options, env: Record<string, string>) => {
    const resolved = normalizeOptions(options, env);
    expect(resolved.ajp.secretHash?.toString("hex")).toBe(hash(SECRET));
    expect(JSON.stringify(resolved)).not.toContain(SECRET);
  });

  test("may hold any bytes when it stands in a file", () => {
    const bytes = Buffer.from("00ff80c3280a0a0a41ff00112233445566778899", "hex");
    writeFileSync(join(folder, "bytes"), bytes);
    const { ajp } = normalizeOptions({ ajp: { secretFile: join(folder, "bytes") } });
    expect(ajp.secretHash).toEqual(createHash("sha256").update(bytes).digest());
  });

  test("is refused when it is short, without being repeated", () => {
    const sentence = refusal({ ajp: { secret: "fifteen-bytes-x" } });
    expect(sentence).toMatch(/15 bytes long; at least 16/);
    expect(sentence).not.toContain("fifteen");
    expect(refusal({ ajp: { secret: 5 } })).toContain("ajp.secret is of type number");
  });

  test("is refused when it is given twice, or its file is short, empty or missing", () => {
    expect(refusal({ ajp: { secret: SECRET, secretFile: file } })).toContain("are both given");
    writeFileSync(join(folder, "empty"), "\n");
    expect(refusal({ ajp: { secretFile: join(folder, "empty") } })).toContain("is 0 bytes long");
    expect(refusal({ ajp: { secretFile: join(folder, "no") } })).toMatch(
      /cannot be read \(ENOENT\)/,
    );
  });
});
