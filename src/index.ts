/**
 * The public surface of postern: re-exports and nothing else.
 */
export type {
  ConnectionTold,
  ErrorTold,
  RequestEnded,
  RequestStarted,
} from "./connection/chronicle.ts";
export type { EngineChoice, EngineName } from "./engine/engine.ts";
export { AbortError, InternalError, ProtocolError, UsageError } from "./errors.ts";
export type { FetchHandler, FetchInfo } from "./handler/fetch/info.ts";
export { type SendFileOptions, sendFile } from "./handler/files/send-file.ts";
export type { GatewayFacts } from "./handler/gateway.ts";
export type { GatewayRequest } from "./handler/node/request.ts";
export { reopenLogs } from "./observe/line-log.ts";
export type { ProtocolName, RoleName, TlsFacts } from "./http/head.ts";
export { type HttpAttributes, httpAttributes } from "./observe/http-attributes.ts";
export type { Application, FetchApplication, NodeHandler } from "./serve/application.ts";
export type {
  FastifyApplication,
  KoaApplication,
  NestApplication,
} from "./serve/application-shapes.ts";
export type { ForeignOptions } from "./serve/foreign-options.ts";
export type { AnyOptions, AppOptions } from "./serve/front.ts";
export type { FoldersOption, ServeOptions } from "./serve/options.ts";
export { createServer, type RequestListener, serve } from "./serve/serve.ts";
export { Server } from "./server/server.ts";
export type { Limits } from "./wire/limits.ts";
