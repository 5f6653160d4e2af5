/**
 * An application that sends files by `sendFile`, for files.test.ts: the query names one below the folder of the tests.
 *
 * Which header it handed a file over by, it writes into a file: the web server removes the header, and the client
 * never learns of it.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { sendFile } from "postern";

const { POSTERN_CONFORMANCE_STATE: state = ".", POSTERN_CONFORMANCE_FILES: root = "." } =
  process.env;

export default async function files(req, res) {
  const { setHeader } = res;
  res.setHeader = (name, value) => {
    if (/^x-/i.test(name)) appendFileSync(join(state, "handed-over"), `${name}\n`);
    return setHeader.call(res, name, value);
  };
  const { searchParams } = new URL(req.url, "http://x");
  res.setHeader("Content-Disposition", "inline");
  await sendFile(req, res, searchParams.get("file") ?? "", { root });
}
