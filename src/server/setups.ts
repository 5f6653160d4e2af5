/**
 * Options → what each protocol needs to serve a connection: its encoder and the options of its decoder and head reader.
 * Made once a server; it opens nothing and decides nothing.
 */
import type { ProtocolSetup } from "../connection/context.ts";
import type { Counters } from "../connection/counters.ts";
import type { ProtocolName } from "../http/head.ts";
import { ajp } from "../protocols/ajp/protocol.ts";
import { fastcgi } from "../protocols/fastcgi/protocol.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { scgi } from "../protocols/scgi/protocol.ts";
import type { DecoderOptions } from "../wire/limits.ts";
import type { ResolvedOptions } from "./settings.ts";

const PROTOCOLS: readonly Protocol[] = [fastcgi, scgi, ajp];

function decoderOptions(options: ResolvedOptions): DecoderOptions {
  const { limits } = options;
  return {
    headBytes: limits.headBytes,
    fieldCount: limits.fieldCount,
    nameBytes: limits.nameBytes,
    valueBytes: limits.valueBytes,
    bodyBytes: limits.bodyBytes,
    headRecords: limits.headRecords,
    requestsPerConnection: options.multiplex ? limits.requestsPerConnection : 1,
    ajpPacketBytes: options.ajp.packetSize,
    ajpRawBody: options.ajp.rawBody,
    scgiStrict: options.scgi.strict,
  };
}

/** Makes the set-up of every protocol but HTTP, by name. */
export function createSetups(
  options: ResolvedOptions,
  counters: Counters,
): ReadonlyMap<ProtocolName, ProtocolSetup> {
  const encoderOptions = {
    ajpPacketBytes: options.ajp.packetSize,
    maxConnections: options.limits.connections,
    maxRequests: options.limits.requests,
    multiplex: options.multiplex,
  };
  const headOptions = {
    scriptName: options.scriptName,
    stripScriptName: options.stripScriptName,
    trust: options.trust,
    ajpSecretHash: options.ajp.secretHash,
    ajpAttributes: options.ajp.attributes,
  };
  return new Map(
    PROTOCOLS.map((protocol): [ProtocolName, ProtocolSetup] => [
      protocol.name,
      {
        protocol,
        encoder: protocol.createEncoder(encoderOptions),
        decoderOptions: decoderOptions(options),
        headOptions,
        counts: counters.protocols[protocol.name],
      },
    ]),
  );
}
