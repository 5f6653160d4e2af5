// Handles and calls between JavaScript and core/.
// Pointers are taken once, by createMemory; every later call asks whether the memory is still
// there. State belongs to one environment (main thread or worker) and goes with it. Twin:
// src/engine/native.ts.
#include "js_decoder.h"

#include <cstdint>
#include <memory>

#include "js_values.h"

namespace postern {
namespace {

struct DecoderHandle {
  std::shared_ptr<Handles> handles;
  std::shared_ptr<Memory> memory;
  uint32_t protocol;
  DecoderOptions options;
  std::unique_ptr<Decoder> decoder;
};

Handles& HandlesOf(const Napi::CallbackInfo& info) {
  return *static_cast<Instance*>(info.Data())->handles;
}

// The decoder behind the first argument, or nullptr when that is no handle of ours.
DecoderHandle* TakeDecoder(const Napi::CallbackInfo& info) {
  void* address = AddressOf(info.Env(), info[0]);
  if (HandlesOf(info).decoders.count(address) == 0) {
    ThrowTypeError(info.Env(), "the first argument is no decoder");
    return nullptr;
  }
  return static_cast<DecoderHandle*>(address);
}

void ForgetDecoder(Napi::BasicEnv /*env*/, DecoderHandle* handle) {
  handle->handles->decoders.erase(handle);
  delete handle;
}

// createDecoder(memory, protocolNumber, options) → handle. Throws a TypeError for anything else.
Napi::Value JS_CreateDecoder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const MemoryHandle* memory = TakeMemoryHandle(env, HandlesOf(info), info[0]);
  const auto protocol = TakeNumber(env, info[1], ProtocolNumber::kAjp);
  const auto options = TakeOptions(env, info[2]);
  const char* mistake = nullptr;
  if (memory == nullptr) mistake = "the first argument is no memory";
  if (!protocol || *protocol == 0) mistake = "protocol is no ProtocolNumber";
  if (!options) mistake = "options is no Float64Array of limits";
  if (mistake != nullptr) {
    ThrowTypeError(env, mistake);
    return env.Undefined();
  }
  Instance* instance = static_cast<Instance*>(info.Data());
  auto* handle = new DecoderHandle{instance->handles, memory->memory, *protocol, *options,
                                   MakeDecoder(*protocol, *memory->memory, *options)};
  instance->handles->decoders.insert(handle);
  return Napi::External<DecoderHandle>::New(env, handle, ForgetDecoder);
}

// renewDecoder(decoder): as if it had just been made, for another connection.
void JS_RenewDecoder(const Napi::CallbackInfo& info) {
  DecoderHandle* handle = TakeDecoder(info);
  if (handle == nullptr) return;
  handle->decoder = MakeDecoder(handle->protocol, *handle->memory, handle->options);
}

// decode(decoder, start, end) → number of event rows. Throws a RangeError for offsets outside of
// the ring's read area, and a TypeError when the memory was given away (detached).
Napi::Value JS_Decode(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  DecoderHandle* handle = TakeDecoder(info);
  if (handle == nullptr) return env.Undefined();
  const auto end = TakeNumber(env, info[2], handle->memory->ring.read_end);
  const auto start = TakeNumber(env, info[1], end.value_or(0));
  if (!start || !end) {
    Napi::RangeError::New(env, "start and end are no range of the ring's read area")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (!handle->memory->IsThere(env)) {
    ThrowTypeError(env, "ring or tables were detached");
    return env.Undefined();
  }
  handle->memory->rows.Begin();
  return Napi::Number::New(env, handle->decoder->Decode(*start, *end));
}

// note(decoder, event, exchangeId). Throws a TypeError for anything but whole numbers.
void JS_Note(const Napi::CallbackInfo& info) {
  DecoderHandle* handle = TakeDecoder(info);
  if (handle == nullptr) return;
  const auto event = TakeNumber(info.Env(), info[1], UINT32_MAX);
  const auto exchange_id = TakeNumber(info.Env(), info[2], UINT32_MAX);
  if (!event || !exchange_id) {
    ThrowTypeError(info.Env(), "event and exchangeId are no whole numbers");
    return;
  }
  handle->decoder->NoteEvent(*event, *exchange_id);
}

// isResting(decoder) → may another decoder go on with the next byte?
Napi::Value JS_IsResting(const Napi::CallbackInfo& info) {
  const DecoderHandle* handle = TakeDecoder(info);
  if (handle == nullptr) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), handle->decoder->IsResting());
}

}  // namespace

void DefineDecoder(Napi::Env env, Napi::Object exports, Instance* instance) {
  exports.Set("createDecoder",
              Napi::Function::New<JS_CreateDecoder>(env, "createDecoder", instance));
  exports.Set("renewDecoder", Napi::Function::New<JS_RenewDecoder>(env, "renewDecoder", instance));
  exports.Set("decode", Napi::Function::New<JS_Decode>(env, "decode", instance));
  exports.Set("isResting", Napi::Function::New<JS_IsResting>(env, "isResting", instance));
  exports.Set("note", Napi::Function::New<JS_Note>(env, "note", instance));
}

}  // namespace postern
