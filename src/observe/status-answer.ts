/**
 * A request for the status → JSON, metrics or the page, by `?format=` or by what its client accepts.
 *
 * Reads no body, keeps nothing, and shows nothing but the status it is given. Who may ask is decided before it comes here.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { METRICS_TYPES, metricsText } from "./metrics.ts";
import type { Status } from "./status.ts";
import { PAGE, PAGE_POLICY, PAGE_SCRIPT, PAGE_STYLE } from "./status-page.ts";

/** What can be asked for. */
const FORMATS = ["json", "html", "prometheus", "openmetrics", "script", "style"] as const;
type Format = (typeof FORMATS)[number];

const TYPES: Readonly<Record<Format, string>> = {
  json: "application/json; charset=utf-8",
  html: "text/html; charset=utf-8",
  script: "text/javascript; charset=utf-8",
  style: "text/css; charset=utf-8",
  ...METRICS_TYPES,
};

/** `/metrics` is where Prometheus looks by itself. */
function formatOf(url: string, accept: string): Format | undefined {
  const [path = "", query = ""] = url.split("?", 2);
  const wanted = new URLSearchParams(query).get("format");
  if (wanted !== null) return FORMATS.find((format) => format === wanted);
  const isMetrics = path.endsWith("/metrics");
  if (accept.includes("application/openmetrics-text")) return "openmetrics";
  if (isMetrics) return "prometheus";
  return accept.includes("text/html") ? "html" : "json";
}

function bodyOf(format: Format, read: () => Status): string {
  switch (format) {
    case "html":
      return PAGE;
    case "script":
      return PAGE_SCRIPT;
    case "style":
      return PAGE_STYLE;
    case "json":
      return `${JSON.stringify(read())}\n`;
    default:
      return metricsText(read(), format);
  }
}

/**
 * Answers one request.
 *
 * @param read makes the status; not asked for the page itself
 */
export function answerStatus(req: IncomingMessage, res: ServerResponse, read: () => Status): void {
  const { method, url = "/", headers } = req;
  const format = formatOf(url, headers.accept ?? "");
  const isRead = method === "GET" || method === "HEAD";
  const status = format === undefined ? 404 : isRead ? 200 : 405;
  const body = status === 200 ? bodyOf(format!, read) : `${status}\n`;
  res.writeHead(status, {
    "Content-Type": status === 200 ? TYPES[format!] : "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": PAGE_POLICY,
    ...(status === 405 ? { Allow: "GET, HEAD" } : {}),
  });
  res.end(method === "HEAD" ? undefined : body);
}
