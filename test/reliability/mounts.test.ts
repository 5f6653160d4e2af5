/**
 * SCRIPT_NAME, PATH_INFO and their neighbours as front servers send them (reliability F-2, B-31 to B-48): each request is
 * served, req.url is REQUEST_URI, and no variable is changed. FastCGI and SCGI.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { transcript } from "../support/transcript.ts";
import { begin, netstring, params, stdin } from "../support/transcript-frames.ts";

const S = "/app/index.php";
const F = "/srv/www/app/index.php";
const ROOT = "/srv/www";
const AT = "192.0.2.1:9000";

interface Row {
  readonly id: string;
  readonly what: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly scriptName: string;
  readonly pathInfo: string;
}

const below = { PATH_INFO: "/pinfo", PATH_TRANSLATED: `${ROOT}/pinfo`, REQUEST_URI: `${S}/pinfo` };

// biome-ignore format: a table is read by its rows.
const ROWS: readonly Row[] = [
  { id: "B-37", what: "Apache's handler", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}`, DOCUMENT_ROOT: ROOT, ...below }, scriptName: S, pathInfo: "/pinfo" },
  { id: "B-38", what: "the same over a unix socket", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:fcgi://localhost${F}`, REQUEST_URI: S }, scriptName: "", pathInfo: S },
  { id: "B-39", what: "a query in the file name", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}?q=1`, QUERY_STRING: "q=1", ...below, REQUEST_URI: `${S}/pinfo?q=1` }, scriptName: S, pathInfo: "/pinfo" },
  { id: "B-40", what: "no DOCUMENT_ROOT", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}`, ...below }, scriptName: S, pathInfo: "/pinfo" },
  { id: "B-41", what: "a balancer, old form", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:balancer://${AT}${F}`, ...below }, scriptName: S, pathInfo: "/pinfo" },
  { id: "B-42", what: "a balancer as it is configured", variables: { SCRIPT_NAME: "", SCRIPT_FILENAME: `${F}/pinfo`, PATH_INFO: `${F}/pinfo`, PATH_TRANSLATED: `proxy:balancer://myappcluster${F}/pinfo${F}/pinfo`, REQUEST_URI: `${S}/pinfo` }, scriptName: "", pathInfo: `${F}/pinfo` },
  { id: "B-43", what: "ProxyPass", variables: { SCRIPT_NAME: `${S}/pinfo`, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}/pinfo`, REQUEST_URI: `${S}/pinfo` }, scriptName: "", pathInfo: `${S}/pinfo` },
  { id: "B-44", what: "ProxyPass, encoded", variables: { SCRIPT_NAME: `${S}/1 2`, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}/1%202`, REQUEST_URI: `${S}/1%202` }, scriptName: "", pathInfo: `${S}/1 2` },
  { id: "B-45", what: "a plus sign in the name", variables: { SCRIPT_NAME: `${S}/1 2`, SCRIPT_FILENAME: `proxy:fcgi://${AT}/srv/a%2Bb.php/1%202`, REQUEST_URI: `${S}/1%202` }, scriptName: "", pathInfo: `${S}/1 2` },
  { id: "B-46", what: "no path fixing", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `${F}/pinfo`, PATH_INFO: "/pinfo", PATH_TRANSLATED: F, REQUEST_URI: `${S}/pinfo` }, scriptName: S, pathInfo: "/pinfo" },
  { id: "B-47", what: "an empty PATH_INFO and a header of 5,000 bytes", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `${S}/${"A".repeat(35)}`, PATH_INFO: "", HTTP_X_LONG: "h".repeat(5_000), REQUEST_URI: S }, scriptName: "", pathInfo: S },
  { id: "B-48", what: "neither SCRIPT_FILENAME nor SCRIPT_NAME", variables: { REQUEST_URI: "/any/where?x" }, scriptName: "", pathInfo: "/any/where" },
  { id: "B-31", what: "SetHandler on files", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}`, REQUEST_URI: S, SCRIPT_URL: S }, scriptName: "", pathInfo: S },
  { id: "B-32", what: "type GENERIC, with a query", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: F, QUERY_STRING: "q", REQUEST_URI: `${S}?q` }, scriptName: "", pathInfo: S },
  { id: "B-33", what: "a rewrite to a script", variables: { SCRIPT_NAME: S, SCRIPT_FILENAME: `proxy:fcgi://${AT}${F}`, PATH_INFO: "/path/info", PATH_TRANSLATED: `${ROOT}/path/info`, QUERY_STRING: "query", REDIRECT_URL: "/app/path/info", REQUEST_URI: "/app/path/info?query" }, scriptName: "/app", pathInfo: "/path/info" },
  { id: "B-34", what: "Action with a virtual location", variables: { SCRIPT_NAME: "/virtual", SCRIPT_FILENAME: `proxy:fcgi://${AT}${ROOT}/virtual`, PATH_INFO: "/a/page.html", PATH_TRANSLATED: `${ROOT}/a/page.html`, QUERY_STRING: "q=1", REDIRECT_URL: "/a/page.html", REQUEST_URI: "/a/page.html?q=1" }, scriptName: "", pathInfo: "/a/page.html" },
  { id: "B-35", what: "ProxyPass with a prefix", variables: { SCRIPT_NAME: "/prefix/script.php", PATH_INFO: "/foo/bar", REQUEST_URI: "/prefix/script.php/foo/bar", FCGI_ROLE: "RESPONDER" }, scriptName: "/prefix/script.php", pathInfo: "/foo/bar" },
  { id: "B-35", what: "ProxyPass with a prefix and nothing below", variables: { SCRIPT_NAME: "/prefix/script.php", REQUEST_URI: "/prefix/script.php" }, scriptName: "", pathInfo: "/prefix/script.php" },
  { id: "B-36", what: "an empty REMOTE_ADDR and a query that contradicts the target", variables: { REMOTE_ADDR: "", QUERY_STRING: "other=1", REQUEST_URI: "/x?y" }, scriptName: "", pathInfo: "/x" },
  { id: "B-13", what: "a path split by a pattern", variables: { SCRIPT_NAME: "/info.php", PATH_INFO: "/path/info", REQUEST_URI: "/info.php/path/info" }, scriptName: "/info.php", pathInfo: "/path/info" },
  { id: "B-25", what: "a prefix of lighttpd", variables: { SCRIPT_NAME: "/prefix.fcgi", PATH_INFO: "/foo/bar", REQUEST_URI: "/prefix.fcgi/foo/bar" }, scriptName: "/prefix.fcgi", pathInfo: "/foo/bar" },
  { id: "B-26", what: "lighttpd at the root", variables: { SCRIPT_NAME: "", PATH_INFO: "/abc/def/ghi", REQUEST_URI: "/abc/def/ghi" }, scriptName: "", pathInfo: "/abc/def/ghi" },
  { id: "B-88", what: "h2o at the root", variables: { SCRIPT_NAME: "", PATH_INFO: "/", QUERY_STRING: "", REQUEST_URI: "/", PATH_TRANSLATED: `${ROOT}/` }, scriptName: "", pathInfo: "/" },
];

const ODD: readonly Readonly<Record<string, string>>[] = [
  { SCRIPT_NAME: S, PATH_INFO: `${S}${"/long".repeat(400)}`, REQUEST_URI: S },
  { SCRIPT_NAME: "/longer/than/the/target", PATH_INFO: "", REQUEST_URI: "/x" },
  { SCRIPT_NAME: "/no/prefix", PATH_INFO: "/of/it", REQUEST_URI: "/something/else" },
  { SCRIPT_NAME: S, PATH_INFO: "/\n", REQUEST_URI: `${S}/%0a` },
  { SCRIPT_NAME: S, PATH_INFO: "/\r\nX: y", REQUEST_URI: `${S}/%0d%0aX:%20y` },
  { SCRIPT_NAME: "", PATH_INFO: "", REQUEST_URI: "/%0a" },
  { SCRIPT_NAME: "/../..", PATH_INFO: "/../../etc/passwd", REQUEST_URI: "/x/../../etc/passwd" },
  { SCRIPT_NAME: "/f/p\r\nX/../z", REQUEST_URI: "/f/p%0d%0aX/../z" },
  { PATH_INFO: "no-slash", REQUEST_URI: "/a/no-slash" },
  { SCRIPT_NAME: "%zz", PATH_INFO: "%", REQUEST_URI: "/%zz%" },
];

const facts: NodeHandler = (req, res) => {
  const { scriptName, pathInfo, params: variables } = req.gateway;
  res.end(JSON.stringify({ scriptName, pathInfo, url: req.url, variables }));
};

describe.each(["fastcgi", "scgi"] as const)("over %s", (protocol) => {
  const bytesOf = (variables: Readonly<Record<string, string>>): Buffer => {
    const all = { CONTENT_LENGTH: "0", SCGI: "1", REQUEST_METHOD: "GET", ...variables };
    if (protocol === "scgi") return netstring(all);
    return Buffer.concat([begin(1), params(1, all), stdin(1)]);
  };
  for (const { id, what, variables, scriptName, pathInfo } of ROWS) {
    transcript(
      `${what}: served, nothing is changed (${id})`,
      { protocol, handler: facts },
      async ({ peer }) => {
        peer.sends(bytesOf(variables));
        const answer = JSON.parse((await peer.answer()).body);
        expect(answer.url).toBe(variables["REQUEST_URI"]);
        expect(answer.variables).toMatchObject(variables);
        expect([answer.scriptName, answer.pathInfo]).toEqual([scriptName, pathInfo]);
        if (!("PATH_INFO" in variables)) expect(answer.variables).not.toHaveProperty("PATH_INFO");
      },
    );
  }

  transcript(
    "paths that contradict each other: served, and every variable as it was sent (F-2)",
    { protocol, handler: facts },
    async ({ connect }) => {
      for (const variables of ODD) {
        const peer = await connect();
        peer.sends(bytesOf(variables));
        const answer = await peer.answer();
        expect(answer.status, JSON.stringify(variables)).toBe(200);
        const said = JSON.parse(answer.body);
        expect(said.variables).toMatchObject(variables);
        expect(said.url).toBe(variables["REQUEST_URI"]);
        expect([said.scriptName, said.pathInfo].every((one) => typeof one === "string")).toBe(true);
      }
    },
  );
});
