/**
 * Rows of texts → a Markdown table whose columns stand below each other.
 */

/** Figures with as many digits as they can bear: 3 or so. */
export function shown(figure: number | undefined): string {
  if (figure === undefined || !Number.isFinite(figure)) return "–";
  const digits = Math.abs(figure) >= 100 ? 0 : Math.abs(figure) >= 10 ? 1 : 2;
  return figure.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/**
 * The lines of a table.
 *
 * @param rows the first has the titles
 * @param lefts how many columns, from the first, are words and stand left
 */
export function tableLines(rows: readonly (readonly string[])[], lefts: number): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i < lefts ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = widths.map((width, i) =>
    i < lefts ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`,
  );
  return [line(rows[0]!), `|${rule.join("|")}|`, ...rows.slice(1).map(line)];
}
