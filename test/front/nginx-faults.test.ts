/**
 * Configurations of nginx with one mistake each → that mistake, by its line and its remedy; good ones, such as those that
 * `postern config` prints → nothing.
 */
import { describe, expect, test } from "vitest";
import { type ConfigFile, readDirectives } from "../../src/front/directives.ts";
import { nginxFaults } from "../../src/front/nginx-faults.ts";

const GOOD = `upstream app {
  server unix:/run/app/app.sock;
  keepalive 16;
}
server {
  client_max_body_size 50m;
  location / {
    fastcgi_param REQUEST_METHOD $request_method; # as sent
    fastcgi_param REQUEST_URI $request_uri;
    fastcgi_param SCRIPT_NAME $fastcgi_script_name;
    fastcgi_param HTTP_PROXY "";
    fastcgi_pass app;
    fastcgi_keep_conn on;
    fastcgi_buffering off;
  }
}
`;

const none = (): readonly ConfigFile[] => [];

function faultsIn(text: string, include = none) {
  return nginxFaults(readDirectives({ path: "app.conf", text }, include));
}

test("a good one has none", () => {
  expect(faultsIn(GOOD)).toEqual([]);
  expect(faultsIn("server { location / { return 200; } }")).toBe(undefined);
});

describe("one mistake", () => {
  test.each([
    ["keep-alive", "  keepalive 16;\n", "", 1, /keepalive 16; in upstream app/],
    ["keep-alive", "    fastcgi_keep_conn on;\n", "", 12, /^fastcgi_keep_conn on;/],
    ["keep-alive", "fastcgi_keep_conn on", "fastcgi_keep_conn off", 13, /^fastcgi_keep_conn on;/],
    ["keep-alive", "fastcgi_pass app", "fastcgi_pass 127.0.0.1:9000", 12, /^upstream app \{/],
    ["request-uri", "    fastcgi_param REQUEST_URI $request_uri;\n", "", 11, /\$request_uri;$/],
    ["request-uri", "REQUEST_URI $request_uri", "REQUEST_URI $uri", 9, /\$request_uri;$/],
    ["script-name", "$fastcgi_script_name", "/index.php", 10, /\$fastcgi_script_name/],
    [
      "path-info",
      "    fastcgi_pass app;\n",
      "    fastcgi_param PATH_INFO $fastcgi_path_info;\n    fastcgi_pass app;\n",
      12,
      /REQUEST_URI/,
    ],
    ["http-proxy", '    fastcgi_param HTTP_PROXY "";\n', "", 11, /HTTP_PROXY "";/],
    ["http-proxy", 'HTTP_PROXY ""', "HTTP_PROXY $http_proxy", 11, /HTTP_PROXY "";/],
    [
      "authorization",
      'fastcgi_param HTTP_PROXY "";',
      'fastcgi_param HTTP_PROXY ""; fastcgi_param HTTP_AUTHORIZATION "";',
      11,
      /Leave that line out/,
    ],
    ["buffering", "    fastcgi_buffering off;\n", "", 12, /fastcgi_buffering off;/],
    ["upload-limit", "  client_max_body_size 50m;\n", "", 11, /client_max_body_size/],
    [
      "header-size",
      "client_max_body_size 50m;",
      "client_max_body_size 50m; large_client_header_buffers 4 1k;",
      6,
      /large_client_header_buffers 4 8k/,
    ],
    [
      "header-size",
      "fastcgi_buffering off;",
      "fastcgi_buffering off; fastcgi_buffer_size 512;",
      14,
      /fastcgi_buffer_size 8k/,
    ],
  ] as const)("%s: %j", (id, good, bad, line, fix) => {
    const text = GOOD.replace(good, bad);
    expect(text).not.toBe(GOOD);
    const found = faultsIn(text);
    expect(found?.map((one) => [one.id, one.where])).toEqual([[id, `app.conf:${line}`]]);
    expect(found![0]!.fix).toMatch(fix);
    expect(found![0]!.cause).toMatch(/^[A-Z].*\.$/);
  });
});

test("parameters of an included file count, and are told by its lines; own ones take their place", () => {
  const file = {
    path: "fastcgi_params",
    text: 'fastcgi_param REQUEST_URI $uri;\nfastcgi_param HTTP_PROXY "";\n',
  };
  const text = GOOD.replace(/ {4}fastcgi_param .*\n/g, "").replace(
    "    fastcgi_pass",
    "    include fastcgi_params;\n    fastcgi_pass",
  );
  expect(faultsIn(text, () => [file])?.map(({ where }) => where)).toEqual(["fastcgi_params:1"]);
  const outer = GOOD.replace("  location", "  fastcgi_param REQUEST_URI $uri;\n  location");
  expect(faultsIn(outer)).toEqual([]);
});

test("quotes, escapes, variables in braces and Lua are read as nginx reads them", () => {
  const text = `map $x $y { default 'a;b{"c"}'; "~^\\d{2}" 1; }
log_format main "\\$ {";
content_by_lua_block { if x then y = { 1 } end }
server { location / { set $a "\${b};"; proxy_pass http://app; } }`;
  const [map, format] = readDirectives({ path: "x", text }, none);
  expect(map?.block?.map(({ words }) => words)).toEqual([['a;b{"c"}'], ["1"]]);
  expect(format?.words).toEqual(["main", "\\$ {"]);
});

test.each([
  ["server {", /too early/],
  ["}", /closes nothing/],
  ["a b", /too early/],
  [";", /without a word/],
])("%j is refused with its line", (text, sentence) => {
  expect(() => readDirectives({ path: "x", text }, none)).toThrow(sentence);
});

test("a file that includes itself is refused", () => {
  const file = { path: "x", text: "include x;" };
  expect(() => readDirectives(file, () => [file])).toThrow(/include of itself/);
});
