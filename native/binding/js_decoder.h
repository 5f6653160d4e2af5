// Decoders of core/ as JavaScript sees them: handles that only this addon can read, and functions
// that take them.
//
//   createDecoder(memory, protocolNumber, options) → decoder     one a connection
//   renewDecoder(decoder)                                        for the next one
//   decode(decoder, start, end) → number of event rows
//   note(decoder, event, exchangeId)
//
// Functions with a handle and not methods: finding the C++ object behind `this` costs three times a
// call (measured). It checks what JavaScript hands it and holds on to the memory; it decodes
// nothing itself.
#ifndef POSTERN_BINDING_JS_DECODER_H_
#define POSTERN_BINDING_JS_DECODER_H_

#include <napi.h>

#include "memory.h"

namespace postern {

// Adds createDecoder, renewDecoder, decode and note to the addon's exports.
void DefineDecoder(Napi::Env env, Napi::Object exports, Instance* instance);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_DECODER_H_
