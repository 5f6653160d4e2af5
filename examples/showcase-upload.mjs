/**
 * A multipart/form-data body → the name and the bytes of its first file, while it streams in (RFC 7578).
 *
 * Holds no more than one piece of the body and a boundary. Only what the showcase needs: a real application would
 * take a library that knows fields, several files and limits.
 */

/** Most bytes of a part's head. */
const HEAD_BYTES_MAX = 16_384;

/**
 * Reads a posted form.
 *
 * @param {import("node:http").IncomingMessage} req
 * @param {(piece: Buffer) => void} take called with each piece of the first file
 * @returns {Promise<string>} the file's name as the browser says it
 * @throws {Error} one sentence, when this is no such form; what ended the request early
 */
export async function readUpload(req, take) {
  const match = /^multipart\/form-data;.*?\bboundary=(?:"([^"]{1,70})"|([^;,\s]{1,70}))/i.exec(
    req.headers["content-type"] ?? "",
  );
  if (!match) throw new Error("Send the file as multipart/form-data with a boundary.");
  const delimiter = Buffer.from(`\r\n--${match[1] ?? match[2]}`, "latin1");
  const form = { delimiter, held: Buffer.from("\r\n"), state: "between", name: undefined, take };
  // A form that is refused half-way must not take the request down before its answer.
  for await (const piece of req.iterator({ destroyOnReturn: false })) {
    form.held = Buffer.concat([form.held, piece]);
    while (advance(form));
  }
  if (form.state !== "end") throw new Error("The form ends before its last boundary.");
  if (form.name === undefined) throw new Error("The form holds no file.");
  return form.name;
}

/** Goes one step further; false when more bytes are needed first. */
function advance(form) {
  switch (form.state) {
    case "between":
      return advanceToBoundary(form, () => undefined);
    case "file":
      return advanceToBoundary(form, form.take);
    case "boundary":
      return advancePastBoundary(form);
    case "head":
      return advancePastHead(form);
    default:
      // Behind the last boundary nothing has a meaning.
      form.held = Buffer.alloc(0);
      return false;
  }
}

/** Hands on everything up to the next boundary, or all that cannot be the beginning of one. */
function advanceToBoundary(form, take) {
  const { held, delimiter } = form;
  const at = held.indexOf(delimiter);
  const sure = at < 0 ? Math.max(0, held.length - delimiter.length + 1) : at;
  if (sure > 0) take(held.subarray(0, sure));
  form.held = held.subarray(at < 0 ? sure : at + delimiter.length);
  if (at >= 0) form.state = "boundary";
  return at >= 0;
}

/** Behind a boundary stands `--` after the last part, or a line end before the next. */
function advancePastBoundary(form) {
  if (form.held.length < 2) return false;
  const next = form.held.toString("latin1", 0, 2);
  if (next === "--") {
    form.state = "end";
    return true;
  }
  const lineEnd = form.held.indexOf("\r\n");
  if (lineEnd < 0 && form.held.length < HEAD_BYTES_MAX) return false;
  if (lineEnd < 0) throw new Error("A boundary of the form is not on a line of its own.");
  // The line end stays: a part without headers has its empty line right here.
  form.held = form.held.subarray(lineEnd);
  form.state = "head";
  return true;
}

/** Reads a part's headers up to their empty line; the first part with a file name is the file. */
function advancePastHead(form) {
  const end = form.held.indexOf("\r\n\r\n");
  if (end < 0 && form.held.length > HEAD_BYTES_MAX) {
    throw new Error("A part of the form has too many headers.");
  }
  if (end < 0) return false;
  const head = form.held.toString("utf8", 0, end);
  form.held = form.held.subarray(end + 4);
  const name = /^content-disposition:.*?;\s*filename="((?:[^"\\]|\\.)*)"/im.exec(head)?.[1];
  const isFile = name !== undefined && form.name === undefined;
  // Browsers write a quotation mark as %22 and leave everything else.
  if (isFile) form.name = name.replaceAll("%22", '"');
  form.state = isFile ? "file" : "between";
  return true;
}
