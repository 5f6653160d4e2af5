// Handles and calls between JavaScript and core/.
// Pointers are taken once, by createMemory; every later call asks whether the memory is still
// there. State belongs to one environment (main thread or worker) and goes with it. Twin:
// src/engine/native.ts.
#include "js_decoder.h"

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_set>

#include "ajp_decoder.h"
#include "fastcgi_decoder.h"
#include "js_values.h"
#include "scgi_decoder.h"

namespace postern {
namespace {

// Event rows that one step of a decoder may need at once; a table below it could stop it for ever.
constexpr size_t kEventRowsMin = 8;

// Addresses of all handles of one environment: a handle of another addon is not among them.
struct Handles {
  std::unordered_set<const void*> memories;
  std::unordered_set<const void*> decoders;
};

// Ring and tables of one engine. Its references keep the arrays alive: one that nothing refers to
// is collected under the decoders that write into it.
struct Memory {
  Ring ring;
  CellsView events;
  CellsView fields;
  CellsView state;
  // The array buffers behind them, each once.
  std::array<Napi::Reference<Napi::ArrayBuffer>, 4> buffers;
  size_t buffer_count = 0;

  void Keep(const Napi::ArrayBuffer& buffer) {
    for (size_t i = 0; i < buffer_count; i++) {
      if (buffers[i].Value().StrictEquals(buffer)) return;
    }
    buffers[buffer_count++] = Napi::Persistent(buffer);
  }

  // Was no buffer given away (detached)?
  bool IsThere(napi_env env) const {
    for (size_t i = 0; i < buffer_count; i++) {
      napi_value buffer = nullptr;
      bool detached = true;
      if (napi_get_reference_value(env, buffers[i], &buffer) != napi_ok || buffer == nullptr ||
          napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) {
        return false;
      }
    }
    return true;
  }
};

struct MemoryHandle {
  std::shared_ptr<Handles> handles;
  std::shared_ptr<Memory> memory;
};

struct DecoderHandle {
  std::shared_ptr<Handles> handles;
  std::shared_ptr<Memory> memory;
  std::unique_ptr<Decoder> decoder;
};

// What the functions of one environment share; handles hold on to it, so that it outlives the last
// of them.
struct Instance {
  std::shared_ptr<Handles> handles = std::make_shared<Handles>();
};

void ThrowTypeError(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
}

Handles& HandlesOf(const Napi::CallbackInfo& info) {
  return *static_cast<Instance*>(info.Data())->handles;
}

// The address in an external value, or nullptr for any other value.
void* AddressOf(Napi::Env env, napi_value value) {
  void* address = nullptr;
  if (value == nullptr || napi_get_value_external(env, value, &address) != napi_ok) return nullptr;
  return address;
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

CellsView Cells(const TypedMemory& memory) {
  return CellsView(static_cast<int32_t*>(memory.data), memory.length);
}

// Takes the arguments of createMemory. Returns nullptr, or what is wrong with them.
const char* TakeArguments(const Napi::CallbackInfo& info, Memory& memory) {
  const Napi::Env env = info.Env();
  const auto bytes = TakeMemory(env, info[0], napi_uint8_array, 1);
  if (!bytes || bytes->length > INT32_MAX) return "ring is no Uint8Array over plain memory";
  const auto events = TakeMemory(env, info[1], napi_int32_array, kEventRowsMin * kEventWidth);
  if (!events) return "events is no Int32Array over plain memory, or too small";
  const auto fields = TakeMemory(env, info[2], napi_int32_array, kFieldRowsExtra * kFieldWidth);
  if (!fields) return "fields is no Int32Array over plain memory, or too small";
  const auto state = TakeMemory(env, info[3], napi_int32_array, kStateCells);
  if (!state) return "state is no Int32Array over plain memory, or too small";
  const uint32_t size = static_cast<uint32_t>(bytes->length);
  const auto head_end = TakeNumber(env, info[5], size);
  const auto read_end = TakeNumber(env, info[4], head_end.value_or(0));
  if (!head_end || !read_end) return "readEnd and headEnd are no offsets of the ring";
  memory.ring = {BytesView(static_cast<uint8_t*>(bytes->data), size), *read_end, *head_end};
  memory.events = Cells(*events);
  memory.fields = Cells(*fields);
  memory.state = Cells(*state);
  for (const auto* array : {&*bytes, &*events, &*fields, &*state}) memory.Keep(array->buffer);
  return nullptr;
}

std::unique_ptr<Decoder> MakeDecoder(uint32_t protocol, const Memory& memory,
                                     const DecoderOptions& options) {
  const RowWriter rows(memory.events, memory.fields, memory.state);
  switch (protocol) {
    case ProtocolNumber::kFastcgi:
      return std::make_unique<FastcgiDecoder>(memory.ring, rows, options);
    case ProtocolNumber::kScgi:
      return std::make_unique<ScgiDecoder>(memory.ring, rows, options);
    case ProtocolNumber::kAjp:
      return std::make_unique<AjpDecoder>(memory.ring, rows, options);
    default:
      return nullptr;
  }
}

void ForgetMemory(Napi::BasicEnv /*env*/, MemoryHandle* handle) {
  handle->handles->memories.erase(handle);
  delete handle;
}

void ForgetDecoder(Napi::BasicEnv /*env*/, DecoderHandle* handle) {
  handle->handles->decoders.erase(handle);
  delete handle;
}

// createMemory(ring, events, fields, state, readEnd, headEnd) → handle. Throws a TypeError for
// anything but plain, attached arrays of the right type and size.
Napi::Value JS_CreateMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto memory = std::make_shared<Memory>();
  const char* mistake = TakeArguments(info, *memory);
  if (mistake != nullptr) {
    ThrowTypeError(env, mistake);
    return env.Undefined();
  }
  Instance* instance = static_cast<Instance*>(info.Data());
  auto* handle = new MemoryHandle{instance->handles, std::move(memory)};
  instance->handles->memories.insert(handle);
  return Napi::External<MemoryHandle>::New(env, handle, ForgetMemory);
}

// createDecoder(memory, protocolNumber, options) → handle. Throws a TypeError for anything else.
Napi::Value JS_CreateDecoder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  void* address = AddressOf(env, info[0]);
  const auto protocol = TakeNumber(env, info[1], ProtocolNumber::kAjp);
  const auto options = TakeOptions(env, info[2]);
  const char* mistake = nullptr;
  if (HandlesOf(info).memories.count(address) == 0) mistake = "the first argument is no memory";
  if (!protocol || *protocol == 0) mistake = "protocol is no ProtocolNumber";
  if (!options) mistake = "options is no Float64Array of limits";
  if (mistake != nullptr) {
    ThrowTypeError(env, mistake);
    return env.Undefined();
  }
  Instance* instance = static_cast<Instance*>(info.Data());
  const auto& memory = static_cast<MemoryHandle*>(address)->memory;
  auto* handle =
      new DecoderHandle{instance->handles, memory, MakeDecoder(*protocol, *memory, *options)};
  instance->handles->decoders.insert(handle);
  return Napi::External<DecoderHandle>::New(env, handle, ForgetDecoder);
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

}  // namespace

void DefineDecoder(Napi::Env env, Napi::Object exports) {
  Instance* instance = new Instance();
  // Deleted by the environment when it ends.
  env.SetInstanceData(instance);
  exports.Set("createMemory", Napi::Function::New<JS_CreateMemory>(env, "createMemory", instance));
  exports.Set("createDecoder",
              Napi::Function::New<JS_CreateDecoder>(env, "createDecoder", instance));
  exports.Set("decode", Napi::Function::New<JS_Decode>(env, "decode", instance));
  exports.Set("note", Napi::Function::New<JS_Note>(env, "note", instance));
}

}  // namespace postern
