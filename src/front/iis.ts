/**
 * A site → a web.config of IIS, whose HttpPlatformHandler starts postern and speaks HTTP to it.
 *
 * IIS' own FastCGI module passes a named pipe that Node cannot accept connections of; that way is not open. No test here
 * runs IIS; that the file is XML with the words of the schema is tested.
 */
import { UsageError } from "../errors.ts";
import { mebibytes, type Rendered, type Site } from "./site.ts";

const BODY_BYTES_MAX = 4_294_967_295;

function attribute(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A word as CommandLineToArgvW reads it. */
function windowsWord(word: string): string {
  return /[\s"]/.test(word) ? `"${word.replaceAll('"', '\\"')}"` : word;
}

/** The file, for the folder of the application. */
export function renderIis(site: Site): Rendered {
  const { start } = site;
  if (start.app === undefined) {
    throw new UsageError(
      'iis needs the application, which IIS starts; write its path, as in "postern config iis ./app.js --protocol http".',
    );
  }
  if (site.protocol !== "http") {
    throw new UsageError(
      "IIS passes a named pipe to FastCGI programs, which Node cannot listen on; give protocol http, which its HttpPlatformHandler speaks.",
    );
  }
  const own = start.options.filter(
    (word) => !start.address.includes(word) && !word.startsWith("--protocol"),
  );
  const words = [start.postern, start.app, ...own].map(windowsWord).join(" ");
  const size = Math.min(site.bodyBytes, BODY_BYTES_MAX);
  const text = `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <system.webServer>
    <handlers>
      <add name="postern" path="*" verb="*" modules="httpPlatformHandler" resourceType="Unspecified" />
    </handlers>
    <!-- IIS chooses the port and ends the program with the application pool. -->
    <httpPlatform processPath="${attribute(start.node)}" arguments="${attribute(words)} --protocol http --host 127.0.0.1 --port %HTTP_PLATFORM_PORT%" startupTimeLimit="30" requestTimeout="00:${String(Math.min(59, Math.ceil(site.readSeconds / 60))).padStart(2, "0")}:00" stdoutLogEnabled="true" stdoutLogFile="logs\\app">
      <environmentVariables>
        <environmentVariable name="NODE_ENV" value="production" />
      </environmentVariables>
    </httpPlatform>
    <security>
      <requestFiltering>
        <!-- As limits.bodyBytes (${mebibytes(size)} MiB). -->
        <requestLimits maxAllowedContentLength="${size}" />
      </requestFiltering>
    </security>
  </system.webServer>
</configuration>
`;
  return { files: [{ path: "web.config", text }] };
}
