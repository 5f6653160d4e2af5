/**
 * Samples over time → slopes with their uncertainty, and a plot as SVG 1.1 without script. It measures nothing.
 */

/** One look at one process. */
export interface Sample {
  readonly minutes: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
  /** Of ArrayBuffers and all else outside of V8's heap. */
  readonly externalMiB: number;
  readonly descriptors: number;
  readonly requests: number;
}

/** The samples of one process, by its configuration. */
export interface Series {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** A fitted line's slope and its standard error, a minute. */
export interface Slope {
  readonly perMinute: number;
  readonly error: number;
}

/** Least squares. */
export function slopeOf(samples: readonly Sample[], value: (sample: Sample) => number): Slope {
  const count = samples.length;
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / count;
  const [midX, midY] = [mean(({ minutes }) => minutes), mean(value)];
  const spread = samples.reduce((sum, { minutes }) => sum + (minutes - midX) ** 2, 0);
  const common = samples.reduce(
    (sum, sample) => sum + (sample.minutes - midX) * (value(sample) - midY),
    0,
  );
  const perMinute = common / spread;
  const rest = samples.reduce((sum, sample) => {
    const fitted = midY + perMinute * (sample.minutes - midX);
    return sum + (value(sample) - fitted) ** 2;
  }, 0);
  return { perMinute, error: Math.sqrt(rest / Math.max(1, count - 2) / spread) };
}

const WIDTH = 760;
const PANEL = 190;
const LEFT = 60;
const RIGHT = 150;
const COLORS = ["#2b6cb0", "#c05621", "#2f855a"];

interface Panel {
  readonly title: string;
  readonly value: (sample: Sample) => number;
}

const PANELS: readonly Panel[] = [
  { title: "resident memory after a collection, MiB", value: ({ rssMiB }) => rssMiB },
  { title: "heap of V8 in use, MiB", value: ({ heapMiB }) => heapMiB },
  { title: "open descriptors under load", value: ({ descriptors }) => descriptors },
];

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x}" y="${y}" font-size="11" fill="#1a202c"${more}>${content}</text>`;
}

function drawPanel({ title, value }: Panel, top: number, all: readonly Series[]): string[] {
  const values = all.flatMap(({ samples }) => samples.map(value));
  const most = Math.max(...values) * 1.05;
  const minutes = Math.max(...all.flatMap(({ samples }) => samples.map((one) => one.minutes)));
  const [width, height] = [WIDTH - LEFT - RIGHT, PANEL - 50];
  const y = (one: number): number => top + 25 + height - (one / most) * height;
  const x = (one: number): number => LEFT + (one / minutes) * width;
  const axis = `<path d="M${LEFT} ${y(most)}V${y(0)}H${LEFT + width}" fill="none" stroke="#4a5568"/>`;
  const lines = all.flatMap(({ name, samples }, i) => {
    const path = samples.map((one) => `${x(one.minutes).toFixed(1)},${y(value(one)).toFixed(1)}`);
    const label = text(LEFT + width + 8, top + 40 + 16 * i, name, ` style="fill:${COLORS[i]}"`);
    return [`<polyline points="${path.join(" ")}" fill="none" stroke="${COLORS[i]}"/>`, label];
  });
  return [
    text(LEFT, top + 14, title, ' font-weight="bold"'),
    text(LEFT - 6, y(most) + 8, most.toFixed(0), ' text-anchor="end"'),
    text(LEFT - 6, y(0), "0", ' text-anchor="end"'),
    text(LEFT + width, y(0) + 14, `${minutes.toFixed(1)} min`, ' text-anchor="end"'),
    axis,
    ...lines,
  ];
}

/** The plot. `caption` says where and when. */
export function drawSoak(all: readonly Series[], caption: string): string {
  const height = PANEL * PANELS.length + 30;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" role="img">`,
    "<title>Soak: memory and descriptors of postern over time</title>",
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...PANELS.flatMap((panel, i) => drawPanel(panel, i * PANEL, all)),
    text(LEFT, height - 10, caption),
    "</svg>",
    "",
  ].join("\n");
}
