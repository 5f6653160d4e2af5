/**
 * docs/ways-in.md beyond its programs: the systemd unit is run as systemd would.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { DocumentRoom } from "../support/document-room.ts";
import { blocksOf } from "../support/documents.ts";
import { answerAt } from "../support/preloaded.ts";

const blocks = blocksOf("docs/ways-in.md");
let room: DocumentRoom;
beforeAll(async () => {
  room = await DocumentRoom.open();
});
afterAll(() => room.remove());

test("the unit's command serves in the unit's environment", async () => {
  const unit = blocks.find(({ text }) => text.startsWith("[Service]"))!;
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit.text)![1]!;
  for (const { kind, words, text } of blocks) if (kind === "file") room.write(words[0]!, text);
  const command = `${setting("Environment")} exec ${setting("ExecStart")}\n`;
  const address = room.address("/run/app/app.sock");
  const running = await room.serve({ ...unit, language: "sh", text: command }, address);
  expect(await answerAt("scgi", address, "/x")).toBe("200 Hello, /x\n");
  await running.stop();
});
