/**
 * A site → a systemd unit that runs the application's postern.
 *
 * The lines are those of docs/systemd.md, where each has its reason. The web server's own unit is not touched.
 */
import { UsageError } from "../errors.ts";
import { type Rendered, shellWord, type Site, wordOf } from "./site.ts";

/** A word of ExecStart, where `%` begins a specifier and `$` a variable. */
function unitWord(word: string): string {
  const doubled = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return shellWord(word) === word
    ? doubled
    : `"${doubled.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** `/run/app/app.sock` is below /run/app, which systemd makes for the service. */
function runtimeFolder(site: Site): string[] {
  const [first] = site.backends;
  const folder =
    first.kind === "unix" ? /^\/(?:var\/)?run\/([^/]+)\/[^/]+$/.exec(first.path)?.[1] : undefined;
  return folder === undefined ? [] : [`RuntimeDirectory=${folder}`];
}

/** The unit. */
export function renderSystemd(site: Site): Rendered {
  const { start } = site;
  if (start.app === undefined) {
    throw new UsageError(
      'systemd needs the application, which it starts; write its path, as in "postern config systemd ./app.js".',
    );
  }
  const exec = [start.node, start.postern, start.app, ...start.options].map(unitWord).join(" ");
  const asks = [start.node, start.postern, "reload", ...start.address].map(unitWord).join(" ");
  const canReload =
    start.options.some((word) => /^--workers/.test(word)) && site.backends[0].kind === "unix";
  const text = `[Unit]
Description=Application behind the web server (${wordOf(site)})
After=network.target

[Service]
Type=notify
NotifyAccess=main
ExecStart=${exec}
${canReload ? `ExecReload=${asks}\n` : ""}WorkingDirectory=${start.folder}
Environment=NODE_ENV=production
# The account of the application, and the web server's group, which the socket is open to.
User=app
Group=www-data
${runtimeFolder(site)
  .map((line) => `${line}\n`)
  .join("")}Restart=on-failure
WatchdogSec=30
TimeoutStartSec=90
TimeoutStopSec=60
# Only the primary is told to stop; it lets its workers finish.
KillMode=mixed

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
CapabilityBoundingSet=
UMask=0027

[Install]
WantedBy=multi-user.target
`;
  return { files: [{ path: `/etc/systemd/system/${wordOf(site)}.service`, text }] };
}
