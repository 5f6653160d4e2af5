/**
 * A name that nobody knows → the known one that was probably meant.
 *
 * Compares spelling only. Used for options and for words of the command line, so that a mistake in writing costs a
 * second and not a search in the documentation.
 */

/** Edits between two words: insertions, deletions, replacements and swaps of neighbours. */
function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1);
      }
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

/** Case, dashes, dots and underscores are not what people misspell. */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");
const leaf = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

/**
 * Finds the closest name.
 *
 * @param name  what was written
 * @param known what could have been meant; of `limits.bodyBytes` the last part alone counts as well
 * @returns undefined when nothing is close: more than a third of the letters would have to change
 */
export function closest(name: string, known: readonly string[]): string | undefined {
  const wanted = bare(name);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 0.5;
  for (const candidate of known) {
    const whole = distance(wanted, bare(candidate));
    const part = Math.min(
      distance(wanted, bare(leaf(candidate))),
      distance(bare(leaf(name)), bare(leaf(candidate))),
    );
    // The last part alone is the weaker hint.
    const edits = Math.min(whole, part + 0.25);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}
