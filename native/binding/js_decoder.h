// Decoders of core/ as JavaScript sees them: handles that only this addon can read, and functions
// that take them.
//
//   createMemory(ring, events, fields, state, readEnd, headEnd) → memory     checked once, kept
//   alive createDecoder(memory, protocolNumber, options) → decoder                 one a connection
//   decode(decoder, start, end) → number of event rows
//   note(decoder, event, exchangeId)
//
// Functions with a handle and not methods: finding the C++ object behind `this` costs three times a
// call (measured). It checks what JavaScript hands it and holds on to the memory; it decodes
// nothing itself.
#ifndef POSTERN_BINDING_JS_DECODER_H_
#define POSTERN_BINDING_JS_DECODER_H_

#include <napi.h>

namespace postern {

// Adds the four functions to the addon's exports. Nothing of them outlives the environment.
void DefineDecoder(Napi::Env env, Napi::Object exports);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_DECODER_H_
