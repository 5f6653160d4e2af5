/**
 * Takes away what frameworks print about errors that scenarios make on purpose; POSTERN_COMPAT_SHOW=1 leaves it.
 * Nothing of a test is printed by the console: what differs is in the test's own error.
 */
if (process.env["POSTERN_COMPAT_SHOW"] === undefined) {
  for (const name of ["error", "log", "warn"] as const) console[name] = () => undefined;
}
