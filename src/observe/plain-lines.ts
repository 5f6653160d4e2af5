/**
 * Requests that are over → bytes of lines, by the addon: values are copied from the head's text to their place in the line.
 * Only what needs no escape is written so. Of every other line it says that it is not, and access-format.ts, whose lines
 * are the specification, makes it.
 */
import { Account } from "../connection/account.ts";
import type { CreateLines, WriteLine } from "../engine/lines.ts";
import { headIdNumber, ownIdPrefix } from "../http/request-id.ts";
import { ELSEWHERE, ValueCells } from "../http/value-cells.ts";
import { LINE_ADDED, LINE_LITERALS, LineCell, LineStep } from "../wire/abi.ts";
import type { LineFormat, LineValue } from "./access-format.ts";
import { type LogPlace, type NumberReader, REQUEST_ID, type TokenReader } from "./access-tokens.ts";

/** Longest text that has a place of its own among the literals. */
const STEADY_LENGTH_MAX = 40;
/** Bytes behind the last literal, so that short ones are copied as one word. */
const PAST_LITERALS = 16;
/** What a cell holds. */
const NUMBER_MAX = 0x7fff_ffff;

/** Asked by what is the same for every request. */
const NOBODY = new Account({ protocol: "http", peerAddress: "" }, 0);

/** A value and the cell that holds it, or its place. */
interface Placed {
  readonly cell: number;
  readonly written: TokenReader;
}

/** Writes a number in decimal; returns the offset behind it. */
function writeDigits(bytes: Buffer, at: number, number: number): number {
  let end = at + 1;
  for (let bound = 10; number >= bound; bound *= 10) end++;
  let rest = number;
  for (let place = end - 1; place >= at; place--) {
    const less = Math.floor(rest / 10);
    bytes[place] = 0x30 + rest - less * 10;
    rest = less;
  }
  return end;
}

/** A text that is mostly the same: it stays among the literals. */
interface Steady extends Placed {
  readonly start: number;
  readonly read: TokenReader;
  /** What was read when it was written there. */
  last: string | undefined;
}

/** The id, and the cell that shows where the front server's is. */
interface PlacedId extends Placed {
  readonly start: number;
  readonly sentCell: number;
}

/** A format as engine/lines.ts takes it, and who fills the cells. */
class Layout {
  readonly steps: number[] = [];
  readonly cells: Int32Array;
  readonly wanted: ValueCells;
  readonly located: Placed[] = [];
  readonly numbers: (Placed & { readonly count: NumberReader })[] = [];
  readonly steadies: Steady[] = [];
  /** Those that change with the second. */
  readonly times: Steady[] = [];
  readonly others: Placed[] = [];
  id: PlacedId | undefined;
  /** The first is what stands for a value that is not there. */
  readonly #literals: Buffer[] = [Buffer.from("-")];
  #length = 1;

  constructor({ texts, values }: LineFormat, place: LogPlace) {
    this.cells = new Int32Array(values.length * 2 + 4);
    this.wanted = new ValueCells(this.cells);
    let text = texts[0]!;
    for (const [i, value] of values.entries()) {
      if (value.isFixed === true) text += value.written(NOBODY, place);
      else {
        const kind = value.count === undefined ? LineStep.BYTES : LineStep.NUMBER;
        const cell = this.#place(value, i * 2 + 2);
        this.#step(kind, cell, text);
        text = "";
      }
      text += texts[i + 1]!;
    }
    this.#step(LineStep.END, 0, `${text}\n`);
    // Last of all: a field that is in the line too has its cell by now.
    if (this.id !== undefined) {
      this.id = { ...this.id, sentCell: this.wanted.want(REQUEST_ID, values.length * 2 + 2) };
    }
  }

  /** All that stands in lines whoever asks; {@link Steady} texts are written into it. */
  literals(): Buffer {
    const whole = Buffer.alloc(this.#length + PAST_LITERALS);
    Buffer.concat(this.#literals).copy(whole);
    return whole;
  }

  #literal(text: Buffer): number {
    const start = this.#length;
    this.#literals.push(text);
    this.#length += text.length;
    return start;
  }

  #step(kind: number, cell: number, text: string): void {
    const bytes = Buffer.from(text);
    this.steps.push(kind, cell, this.#literal(bytes), bytes.length);
  }

  #place(value: LineValue, own: number): number {
    const { place, count, steady, isId, read, written } = value;
    if (place !== undefined) {
      const cell = this.wanted.want(place, own);
      if (cell === own) this.located.push({ cell, written });
      return cell;
    }
    if (isId === true && this.id === undefined) {
      const prefix = Buffer.alloc(STEADY_LENGTH_MAX, ownIdPrefix());
      this.id = { cell: own, written, start: this.#literal(prefix), sentCell: 0 };
    } else if (count !== undefined) this.numbers.push({ cell: own, written, count });
    else if (steady !== undefined) {
      const start = this.#literal(Buffer.alloc(STEADY_LENGTH_MAX));
      const list = steady === "second" ? this.times : this.steadies;
      list.push({ cell: own, read, written, start, last: undefined });
    } else this.others.push({ cell: own, written });
    return own;
  }
}

/** Lines of one format that need no escape. */
export class PlainLines {
  readonly #wanted: ValueCells;
  readonly #cells: Int32Array;
  readonly #located: readonly Placed[];
  readonly #numbers: Layout["numbers"];
  readonly #steadies: readonly Steady[];
  readonly #times: readonly Steady[];
  readonly #others: readonly Placed[];
  readonly #id: PlacedId | undefined;
  readonly #idDigitsAt: number;
  readonly #literals: Buffer;
  readonly #place: LogPlace;
  /** Length of what stands for a value that is not there. */
  readonly #nothingLength: number;
  readonly #lines: readonly WriteLine[];
  #added = "";

  /** @param outs what lines may be written into */
  constructor(format: LineFormat, place: LogPlace, create: CreateLines, outs: readonly Buffer[]) {
    const layout = new Layout(format, place);
    const { steps, cells, wanted, located, numbers, steadies, times, others } = layout;
    this.#wanted = wanted;
    this.#cells = cells;
    this.#located = located;
    this.#numbers = numbers;
    this.#steadies = steadies;
    this.#times = times;
    this.#others = others;
    this.#id = layout.id;
    this.#idDigitsAt = layout.id === undefined ? 0 : layout.id.start + ownIdPrefix().length;
    this.#literals = layout.literals();
    this.#place = place;
    this.#nothingLength = format.nothing.length;
    // Of a second long ago: the first line finds that it is over.
    if (times.length > 0) cells[LineCell.SECOND] = 1;
    const program = Int32Array.from(steps);
    this.#lines = outs.map((out) => create(program, cells, this.#literals, out));
  }

  /**
   * Writes the line of a request, with its end.
   *
   * @param out which of the buffers
   * @param at  where in it
   * @returns the offset behind it; 0: it does not fit, or has to be escaped
   */
  write(account: Account, out: number, at: number): number {
    this.#added = "";
    const text = this.#locate(account);
    if (!this.#fill(account)) return 0;
    const line = this.#lines[out]!;
    const end = this.#added === "" ? line(at, text) : line(at, text, this.#added);
    if (end === 0 && this.#times.length > 0) this.#tell(account);
    return end;
  }

  /** Writes what time it is, for lines to come. */
  #tell(account: Account): void {
    this.#cells[LineCell.SECOND] = Math.floor(Date.now() / 1_000);
    for (const one of this.#times) this.#keep(one, "", account);
  }

  /** Finds the values of the head; returns its text. */
  #locate(account: Account): string {
    const cells = this.#cells;
    const located = this.#located;
    const { head } = account;
    let text = "";
    if (head?.locate === undefined) this.#wanted.begin(ELSEWHERE);
    else text = head.locate(this.#wanted);
    if (this.#id !== undefined) this.#identify(this.#id, account);
    for (let i = 0; i < located.length; i++) {
      const { cell } = located[i]!;
      const length = cells[cell + 1]!;
      if (length > 0) continue;
      if (length < 0) this.#add(located[i]!, account);
      else {
        cells[cell] = LINE_LITERALS;
        cells[cell + 1] = this.#nothingLength;
      }
    }
    return text;
  }

  /** An id that nobody has asked for is a number yet: its digits go behind the prefix. */
  #identify(id: PlacedId, account: Account): void {
    const { head } = account;
    const cells = this.#cells;
    const sent = cells[id.sentCell + 1] === 0 ? "" : (head?.find(REQUEST_ID) ?? "");
    const number = head?.locate === undefined ? 0 : headIdNumber(head, sent);
    if (number === 0) return this.#add(id, account);
    const end = writeDigits(this.#literals, this.#idDigitsAt, number);
    cells[id.cell] = LINE_LITERALS + id.start;
    cells[id.cell + 1] = end - id.start;
  }

  /** Writes what is not in the head; false where a number is larger than cells are. */
  #fill(account: Account): boolean {
    const cells = this.#cells;
    const place = this.#place;
    const numbers = this.#numbers;
    const steadies = this.#steadies;
    for (let i = 0; i < numbers.length; i++) {
      const { cell, count } = numbers[i]!;
      const number = count(account, place);
      if (!(number >= 0 && number <= NUMBER_MAX)) return false;
      cells[cell] = number;
    }
    for (let i = 0; i < steadies.length; i++) {
      const one = steadies[i]!;
      const text = one.read(account, place);
      if (text !== one.last) this.#keep(one, text, account);
    }
    for (const one of this.#others) this.#add(one, account);
    return true;
  }

  #keep(steady: Steady, read: string, account: Account): void {
    const text = steady.written(account, this.#place);
    const isShort = text.length <= STEADY_LENGTH_MAX;
    if (isShort) this.#literals.write(text, steady.start, "latin1");
    steady.last = read;
    this.#cells[steady.cell] = LINE_LITERALS + steady.start;
    this.#cells[steady.cell + 1] = isShort ? text.length : ELSEWHERE;
  }

  #add({ cell, written }: Placed, account: Account): void {
    const text = written(account, this.#place);
    this.#cells[cell] = LINE_ADDED + this.#added.length;
    this.#cells[cell + 1] = text.length;
    this.#added += text;
  }
}
