/**
 * Fields outlive the table they were read from, however many heads share memory; and a head's values are searched for
 * what they may not hold.
 */
import { expect, test } from "vitest";
import { FIELD_CELLS, keptFields } from "../../src/http/field-block.ts";
import { fieldId } from "../../src/http/field-names.ts";
import { ValueScan } from "../../src/http/value-scan.ts";

const BASE = 7;

/** A head of `count` fields with names of its own, and the table that holds its rows. */
function tableOf(head: number, count: number): { text: string; rows: Int32Array } {
  let text = "";
  const rows: number[] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const name = `NAME_${head}_${i}`;
    const at = BASE + text.length;
    rows.push(-at, name.length, at + name.length, String(i).length);
    text += `${name}${i}`;
  }
  return { text, rows: Int32Array.from(rows) };
}

test("fields stay what they were when the table is written over, in every size of head", () => {
  const counts = Array.from({ length: 300 }, (_, head) => (head * 7) % 41).concat(
    127,
    128,
    129,
    999,
  );
  const blocks = counts.map((count, head) => {
    const { text, rows } = tableOf(head, count);
    const block = keptFields(text, rows, FIELD_CELLS, count, BASE);
    rows.fill(-1);
    return block;
  });
  blocks.forEach((block, head) => {
    expect(block.count).toBe(counts[head]);
    for (let i = 0; i < block.count; i++) {
      expect([block.id(i), block.name(i), block.value(i)]).toEqual([
        0,
        `NAME_${head}_${i}`,
        String(i),
      ]);
    }
  });
});

test("the first value of an id that is not empty counts", () => {
  const id = fieldId("REMOTE_ADDR");
  const rows = Int32Array.of(id, 0, BASE, 0, id, 0, BASE, 1, id, 0, BASE + 1, 1);
  const block = keptFields("ab", rows, 0, 3, BASE);
  expect(block.find(id)).toBe("a");
  expect(block.find(fieldId("REMOTE_PORT"))).toBe("");
});

test.each(["\0", "\r", "\n"])("a scan finds %j inside a value, not between values", (character) => {
  const scan = new ValueScan(false);
  const text = `${character}ab${character}cd${character}e${character}f`;
  const values = [
    [1, 3],
    [3, 3],
    [4, 6],
    [7, 10],
  ] as const;
  for (let round = 0; round < 2; round++) {
    scan.begin();
    expect(values.map(([start, end]) => scan.finds(text, start, end))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  }
});

test("where NUL ends every value, a scan looks for the others alone", () => {
  const scan = new ValueScan(true);
  scan.begin();
  expect([scan.finds("a\0b\n", 0, 3), scan.finds("a\0b\n", 3, 4)]).toEqual([false, true]);
});
