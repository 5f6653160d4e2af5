/**
 * Missing web servers → installed Debian packages, for the conformance tests.
 *
 * Installs only as root where apt-get is, says so in one line, and keeps the packages from starting as
 * services; everywhere else it only names what is missing. POSTERN_TEST_SERVERS=skip leaves the machine alone.
 */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isMain, run, say, strict, which } from "./house.mjs";

/** What the tests want: package, how to see that it is there, and the service it would start. */
const WANTED = [
  { name: "nginx", found: () => which("nginx"), service: "nginx" },
  { name: "apache2", found: () => which("apache2"), service: "apache2" },
  {
    name: "libapache2-mod-fcgid",
    found: () => existsSync("/usr/lib/apache2/modules/mod_fcgid.so"),
    service: undefined,
  },
  { name: "lighttpd", found: () => which("lighttpd"), service: "lighttpd" },
  { name: "haproxy", found: () => which("haproxy"), service: "haproxy" },
  { name: "caddy", found: () => which("caddy"), service: "caddy" },
  { name: "chromium", found: () => which("chromium"), service: undefined },
  { name: "cppcheck", found: () => which("cppcheck"), service: undefined },
];

const POLICY = "/usr/sbin/policy-rc.d";
const POLICY_KEPT = `${POLICY}.before-postern`;
const POLICY_MARK = "# Written by postern's scripts/servers.mjs while it installs packages.";

/** Forbids packages to start services; an earlier policy is put aside. */
function forbidServices() {
  const isOurs = existsSync(POLICY) && readFileSync(POLICY, "utf8").includes(POLICY_MARK);
  if (existsSync(POLICY) && !isOurs) renameSync(POLICY, POLICY_KEPT);
  writeFileSync(POLICY, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`);
  chmodSync(POLICY, 0o755);
}

/** Takes our policy away and puts the earlier one back. */
function allowServices() {
  rmSync(POLICY, { force: true });
  if (existsSync(POLICY_KEPT)) renameSync(POLICY_KEPT, POLICY);
}

/** Ctrl-C while packages are installed must not leave the policy behind. */
function stop() {
  allowServices();
  process.exit(130);
}

const missingNow = () => WANTED.filter((server) => !server.found());

/** Installs packages by apt-get; returns the last lines of its output when it failed. */
async function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const lock = ["-o", "DPkg::Lock::Timeout=300", "-q"];
  forbidServices();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
  try {
    await run("apt-get", ["update", ...lock], { quiet: true, env });
    const names = packages.map((server) => server.name);
    const flags = ["-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"];
    const result = await run("apt-get", ["install", ...flags, ...lock, ...names], {
      quiet: true,
      env,
    });
    for (const { service } of packages) {
      // A later reboot must not start them either.
      if (service && which("update-rc.d"))
        await run("update-rc.d", [service, "disable"], { quiet: true });
    }
    return result.code === 0 ? undefined : result.output.trim().split("\n").slice(-3).join(" | ");
  } finally {
    allowServices();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeListener(signal, stop);
  }
}

/** Why nothing can be installed here, or undefined when it can. */
function obstacle() {
  if (process.env.POSTERN_TEST_SERVERS === "skip") return "POSTERN_TEST_SERVERS=skip";
  if (process.platform !== "linux" || !which("apt-get"))
    return "only Debian packages can be installed";
  if (process.getuid?.() !== 0) return "not root";
  return undefined;
}

/**
 * Installs what is missing, where that is possible, and names what still is.
 *
 * @returns {Promise<string[]>} names of what is missing afterwards
 */
export async function servers() {
  const missing = missingNow();
  if (missing.length === 0) return [];
  const names = missing.map((server) => server.name).join(" ");
  let reason = obstacle();
  if (reason === undefined) {
    say(`installing Debian packages for the tests, services kept from starting: ${names}`);
    reason = await install(missing);
  }
  const still = missingNow().map((server) => server.name);
  for (const name of still)
    say(
      `${name} is missing (${reason ?? "the package brought no program"}); its tests are skipped`,
    );
  return still;
}

if (isMain(import.meta.url)) {
  const missing = await servers();
  if (missing.length > 0 && strict) process.exitCode = 1;
}
