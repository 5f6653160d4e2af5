/**
 * Large bodies in frames of every size, many at once, in each configuration: every byte arrives once and where it belongs,
 * and what an application keeps of one request is never written again by another (reliability D-2).
 * The native transport reads such bodies to where they stay, on a guess of what the next frames are like.
 */
import { afterEach, describe, expect, test } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import {
  begin,
  forward,
  netstring,
  packet,
  params,
  record,
  stdin,
  u16,
} from "../support/frames.ts";
import { Random } from "../support/random.ts";
import { Wire } from "../support/scripted-peer.ts";
import { reachOf, ServerRoom } from "../support/server-room.ts";

const STDIN = 5;
const END_REQUEST = 3;
const AJP = { SEND_HEADERS: 4, END: 5, GET_BODY: 6 } as const;
const BODY_BYTES = 1_200_003;
const PACKET_BYTES = 65_536;
/** Known to be a web server that answers many asks at once. */
const ATTRIBUTES = [
  [0x0a, "AJP_REMOTE_PORT", "51234"],
  [0x0a, "AJP_LOCAL_ADDR", "192.0.2.1"],
] as const;

/** Sizes of frames, in turn; what is left of the body limits the last. */
type Sizes = (random: Random) => number;
const SIZES: Readonly<Record<string, Sizes>> = {
  "of one size": () => 32_768,
  "as large as can be": () => 65_527,
  small: () => 5_000,
  tiny: (random) => 100 + random.below(1_000),
  "of every size": (random) => random.pick([1, 7, 300, 4_096, 8_186, 8_186, 20_000, 65_500]),
};

/** Bytes that tell one body, and each place in it, from all others. */
function bodyOf(seed: number): Buffer {
  const body = Buffer.alloc(BODY_BYTES);
  const random = new Random(seed);
  for (let at = 0; at + 4 <= BODY_BYTES; at += 4) body.writeUInt32LE(random.next(), at);
  return body;
}

/** The body in pieces. */
function* cut(body: Buffer, sizes: Sizes, random: Random): Generator<Buffer> {
  for (let at = 0; at < body.length; ) {
    const next = Math.min(at + sizes(random), body.length);
    yield body.subarray(at, next);
    at = next;
  }
}

/** Writes in pieces that have nothing to do with frames. */
async function writeInPieces(wire: Wire, bytes: Buffer, random: Random): Promise<void> {
  for (const piece of cut(bytes, () => 1 + random.below(300_000), random)) {
    if (!wire.socket.write(piece)) await new Promise((done) => wire.socket.once("drain", done));
  }
}

interface Upload {
  readonly url: string;
  readonly body: Buffer;
  readonly sizes: Sizes;
  readonly random: Random;
}
type Send = (wire: Wire, upload: Upload) => Promise<void>;

const sendFastcgi: Send = async (wire, { url, body, sizes, random }) => {
  const fields = [
    ["REQUEST_METHOD", "POST"],
    ["REQUEST_URI", url],
    ["CONTENT_LENGTH", String(body.length)],
  ] as const;
  const padding = random.pick([0, 1, 8]);
  const records = [...cut(body, sizes, random)].map((content) =>
    record(STDIN, 1, content, { padding: random.chance(90) ? padding : 255 }),
  );
  // Content that is beyond the length is nobody's.
  records.push(record(STDIN, 1, Buffer.alloc(9_000, 0xee)), stdin(1));
  await writeInPieces(wire, Buffer.concat([begin(), params(1, fields), ...records]), random);
  for (;;) if ((await wire.readRecord()).type === END_REQUEST) return;
};

const sendScgi: Send = async (wire, { url, body, random }) => {
  const fields = [
    ["CONTENT_LENGTH", String(body.length)],
    ["SCGI", "1"],
    ["REQUEST_METHOD", "POST"],
    ["REQUEST_URI", url],
  ] as const;
  await writeInPieces(wire, Buffer.concat([netstring(fields), body]), random);
  await wire.readToEnd();
};

const sendAjp: Send = async (wire, { url, body, sizes, random }) => {
  const frames = cut(body, sizes, random);
  const next = (): Buffer => {
    const { value } = frames.next();
    const content: Buffer = value ?? Buffer.alloc(0);
    if (content.length === 0) return packet();
    // Some web servers put a byte behind it.
    const end = Buffer.alloc(random.chance(10) ? 1 : 0);
    return packet(Buffer.concat([u16(content.length), content, end]));
  };
  const headers = [["content-length", String(body.length)]] as const;
  const head = forward({ method: 4, uri: url, headers, attributes: [...ATTRIBUTES] });
  await writeInPieces(wire, Buffer.concat([head, next()]), random);
  for (;;) {
    const kind = (await wire.readPacket())[0];
    if (kind === AJP.GET_BODY) wire.write(next());
    if (kind === AJP.END) return;
  }
};

const PEERS = { fastcgi: sendFastcgi, scgi: sendScgi, ajp: sendAjp } as const;

/** What node:http lets an application do with a chunk; the memory of ours is not a chunk's alone. */
function giveAway(chunk: Buffer): void {
  const buffer = chunk.buffer as ArrayBuffer;
  try {
    structuredClone(buffer, { transfer: [buffer] });
  } catch {
    // Node 21 and later say that it cannot be given away, Node 20 gives a copy.
  }
}

let room: ServerRoom | undefined;
afterEach(() => room?.clear());

for (const { name, create, reason } of CONFIGURATIONS) {
  const title = `large bodies · ${name}`;
  describe.skipIf(create === undefined)(
    reason === "" ? title : `${title} (skipped: ${reason})`,
    () => {
      for (const [protocol, send] of Object.entries(PEERS)) {
        test(`arrive whole in frames of every size, and are never written again, ${protocol} (D-2)`, async () => {
          room = new ServerRoom();
          const kept = new Map<string, Buffer[]>();
          const keep: NodeHandler = (req, res) => {
            const chunks: Buffer[] = [];
            kept.set(req.url ?? "", chunks);
            const isSelfish = req.url?.startsWith("/1") === true;
            req.on("data", (chunk: Buffer) => {
              chunks.push(isSelfish ? Buffer.from(chunk) : chunk);
              if (isSelfish) giveAway(chunk);
            });
            req.on("end", () => res.end("ok"));
          };
          const server = await room.open(name, "unix", keep, {
            protocol: protocol as keyof typeof PEERS,
            ajp: { packetSize: PACKET_BYTES },
          });
          const bodies = new Map<string, Buffer>();
          // All at once, so that their reads take turns; then again, over what was left of the first.
          for (let round = 0; round < 2; round++) {
            const uploads = Object.entries(SIZES).map(async ([sizeName, sizes], i) => {
              const url = `/${round}/${i}`;
              const seed = round * 10 + i;
              bodies.set(url, bodyOf(seed));
              const wire = await Wire.connect(reachOf(server) as { path: string });
              const random = new Random(seed + sizeName.length);
              await send(wire, { url, body: bodies.get(url)!, sizes, random });
              wire.socket.destroy();
            });
            await Promise.all(uploads);
          }
          for (const [url, body] of bodies) {
            expect(Buffer.concat(kept.get(url) ?? []).equals(body), url).toBe(true);
          }
        });
      }
    },
  );
}
