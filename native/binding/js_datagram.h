// sendDatagram(path, text) → 0 or an errno: one datagram to a unix socket, which node cannot send.
// For supervisors (sd_notify(3)). Linux. Twin: src/engine/native.ts.
#ifndef POSTERN_BINDING_JS_DATAGRAM_H_
#define POSTERN_BINDING_JS_DATAGRAM_H_

#include <napi.h>

namespace postern {

// Adds sendDatagram to the addon's exports.
void DefineDatagram(Napi::Env env, Napi::Object exports);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_DATAGRAM_H_
