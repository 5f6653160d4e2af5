// The addon's surface: `abi()` and the functions of memory.h, js_decoder.h, js_lines.h and,
// on Linux, js_transport.h, js_listener_watch.h and js_datagram.h.
// It keeps no state outside of an environment, so that the main thread and any number of workers
// can load it at once. src/engine/native.ts is the only file that loads it.
#include <napi.h>

#include "abi_report.h"
#include "field_names.h"
#include "js_decoder.h"
#include "js_lines.h"
#include "memory.h"

#if defined(__linux__)
#include "js_datagram.h"
#include "js_listener_watch.h"
#include "js_transport.h"
#endif

namespace postern {
namespace {

// abi() → { numbers: { name: number }, fieldNames: string[] }, for a comparison of every one.
Napi::Value JS_Abi(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object numbers = Napi::Object::New(env);
  for (const AbiNumber& entry : kAbiNumbers) {
    numbers.Set(entry.name, Napi::Number::New(env, entry.number));
  }
  Napi::Array names = Napi::Array::New(env, kFieldNameCount);
  for (uint32_t id = 0; id < kFieldNameCount; id++) {
    names.Set(id, Napi::String::New(env, kFieldNames[id].data(), kFieldNames[id].size()));
  }
  Napi::Object abi = Napi::Object::New(env);
  abi.Set("numbers", numbers);
  abi.Set("fieldNames", names);
  return abi;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("abi", Napi::Function::New<JS_Abi>(env, "abi"));
  // Deleted by the environment when it ends; nothing of the functions outlives that.
  Instance* instance = new Instance();
  env.SetInstanceData(instance);
  DefineMemory(env, exports, instance);
  DefineDecoder(env, exports, instance);
  DefineLines(env, exports);
#if defined(__linux__)
  DefineListenerWatch(env, exports);
  DefineTransport(env, exports, instance);
  DefineDatagram(env, exports);
#endif
  return exports;
}

}  // namespace
}  // namespace postern

static Napi::Object InitPostern(Napi::Env env, Napi::Object exports) {
  return postern::Init(env, exports);
}

NODE_API_MODULE(postern, InitPostern)
