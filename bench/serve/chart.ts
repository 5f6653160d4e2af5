/**
 * Results → an SVG chart: for each table the cost of every server as a bar, shorter is better.
 * Only what is measured in CPU time is drawn, over unix sockets. SVG 1.1, no script, no font of its own.
 */
import type { ResultRow, Results, ResultTable } from "./results.ts";
import { shown } from "./tables.ts";

const WIDTH = 760;
const LABEL_WIDTH = 260;
const VALUE_WIDTH = 110;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 34;
const MARGIN = 20;
const OURS = "#2b6cb0";
const THEIRS = "#a0aec0";
const INK = "#1a202c";
const PALE_INK = "#4a5568";

/** Text as it may stand in XML. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function text(
  x: number,
  y: number,
  size: number,
  color: string,
  content: string,
  more = "",
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${color}"${more}>${escaped(content)}</text>`;
}

function barOf(row: ResultRow, most: number, y: number): string[] {
  const room = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
  const length = Math.max(1, Math.round((row.figure.median / most) * room));
  const color = row.name.startsWith("postern") ? OURS : THEIRS;
  const x = MARGIN + LABEL_WIDTH;
  const ratio = row.ratio === undefined ? "" : ` (${row.ratio.toFixed(2)}×)`;
  return [
    text(x - 8, y + 12, 12, INK, `${row.name}${row.earlier ? " *" : ""}`, ' text-anchor="end"'),
    `<rect x="${x}" y="${y}" width="${length}" height="${BAR_HEIGHT}" rx="2" fill="${color}"/>`,
    text(x + length + 6, y + 12, 12, PALE_INK, `${shown(row.figure.median)}${ratio}`),
  ];
}

function drawTable(table: ResultTable, top: number): { parts: string[]; bottom: number } {
  const rows = table.rows.filter(
    (row) => row.over === "unix" && Number.isFinite(row.figure.median),
  );
  const most = Math.max(...rows.map((row) => row.figure.median));
  const parts = [text(MARGIN, top + 22, 13, INK, table.title, ' font-weight="bold"')];
  let y = top + TITLE_HEIGHT;
  for (const row of [...rows].sort((a, b) => a.figure.median - b.figure.median)) {
    parts.push(...barOf(row, most, y));
    y += ROW_HEIGHT;
  }
  return { parts, bottom: y };
}

/** The chart as the text of an SVG file. */
export function drawChart({ circumstances, tables }: Results): string {
  const drawn = tables.filter((table) => table.unit === "CPU µs" && table.rows.length > 0);
  const parts: string[] = [];
  let y = MARGIN;
  parts.push(
    text(
      MARGIN,
      y + 14,
      16,
      INK,
      "CPU of the server process for one request, in µs",
      ' font-weight="bold"',
    ),
    text(
      MARGIN,
      y + 34,
      12,
      PALE_INK,
      "median; shorter is better; in brackets: to the same on node:http",
    ),
  );
  y += 40;
  for (const table of drawn) {
    const { parts: own, bottom } = drawTable(table, y);
    parts.push(...own);
    y = bottom;
  }
  const { date, node, machine, commit } = circumstances;
  parts.push(
    text(MARGIN, y + 24, 11, PALE_INK, `${date}, Node ${node}, ${machine}, commit ${commit}`),
  );
  const rows = drawn.flatMap((table) => table.rows);
  const runs = [...new Set(rows.flatMap(({ earlier }) => earlier ?? []))];
  if (runs.length > 0) {
    y += 16;
    parts.push(text(MARGIN, y + 24, 11, PALE_INK, `* of an earlier run: ${runs.join("; ")}`));
  }
  const height = y + 24 + MARGIN;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" role="img">`,
    "<title>CPU time of one request: postern and others</title>",
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}
