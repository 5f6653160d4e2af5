// A decoder of core/ as a JavaScript object: `new Decoder(protocol, ring, events, fields, state,
// readEnd, headEnd, options)` with `decode(start, end)` and `note(event, exchangeId)`. It checks
// what JavaScript hands it and holds on to the memory; it decodes nothing itself. Node-API version
// 8, no exceptions, one instance per environment and no state outside of it.
#ifndef POSTERN_BINDING_JS_DECODER_H_
#define POSTERN_BINDING_JS_DECODER_H_

#include <napi.h>

#include <array>
#include <memory>

#include "decoder.h"

namespace postern {

class JsDecoder : public Napi::ObjectWrap<JsDecoder> {
 public:
  // The class as a JavaScript constructor of this environment.
  static Napi::Function Define(Napi::Env env);

  // Throws a TypeError (JavaScript's) when an argument is not what the file's comment says; the
  // object is dead then and never reaches JavaScript.
  explicit JsDecoder(const Napi::CallbackInfo& info);

  // decode(start, end) → number of event rows. Throws a RangeError for offsets outside of the
  // ring's read area and a TypeError when the memory was taken away (detached).
  Napi::Value JS_Decode(const Napi::CallbackInfo& info);

  // note(event, exchangeId). Throws a TypeError for anything but numbers.
  void JS_Note(const Napi::CallbackInfo& info);

 private:
  // Ring, events, fields and state, in this order.
  static constexpr size_t kBufferCount = 4;

  bool HasMemory(Napi::Env env) const;

  // References keep the memory alive: an array that nothing refers to is collected under the
  // decoder.
  std::array<Napi::Reference<Napi::ArrayBuffer>, kBufferCount> buffers_;
  uint32_t read_end_ = 0;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace postern

#endif  // POSTERN_BINDING_JS_DECODER_H_
