// A listening socket on which somebody waits to be accepted → one call of JavaScript; nobody is
// accepted here. For a process that holds a socket for others, and starts them when they are
// needed. Linux. Twin: src/engine/native.ts.
#ifndef POSTERN_BINDING_JS_LISTENER_WATCH_H_
#define POSTERN_BINDING_JS_LISTENER_WATCH_H_

#include <napi.h>

namespace postern {

// Adds watchListener to the addon's exports.
void DefineListenerWatch(Napi::Env env, Napi::Object exports);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_LISTENER_WATCH_H_
