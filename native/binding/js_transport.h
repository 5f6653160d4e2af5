// The native transport as JavaScript sees it: one object of functions a listening socket.
//
//   openTransport(memory, options, protocols, turn) → { listen, poll, send, … }
//
// Connections are named by the integer of their rows; a word about one that is gone does nothing.
// It checks what JavaScript hands it; the work is transport.h's. Linux. Twin:
// src/engine/transport.ts.
#ifndef POSTERN_BINDING_JS_TRANSPORT_H_
#define POSTERN_BINDING_JS_TRANSPORT_H_

#include <napi.h>

#include "memory.h"

namespace postern {

// Adds openTransport to the addon's exports.
void DefineTransport(Napi::Env env, Napi::Object exports, Instance* instance);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_TRANSPORT_H_
