// Ring and tables of one engine as JavaScript handed them in, and who holds on to them.
// It keeps the arrays alive and says whether they are still there; what is written into them is the
// decoders' business. Twin of what it serves: src/engine/native.ts.
#ifndef POSTERN_BINDING_MEMORY_H_
#define POSTERN_BINDING_MEMORY_H_

#include <napi.h>

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_set>

#include "decoder.h"

namespace postern {

// Addresses of all handles of one environment: a handle of another addon is not among them.
struct Handles {
  std::unordered_set<const void*> memories;
  std::unordered_set<const void*> decoders;
};

// What the functions of one environment share; handles hold on to it, so that it outlives the last
// of them.
struct Instance {
  std::shared_ptr<Handles> handles = std::make_shared<Handles>();
};

// Its references keep the arrays alive: one that nothing refers to is collected under the decoders
// that write into it.
struct Memory {
  Ring ring;
  RowWriter rows;
  // The array buffers behind them, each once.
  std::array<Napi::Reference<Napi::ArrayBuffer>, 4> buffers;
  size_t buffer_count = 0;

  void Keep(const Napi::ArrayBuffer& buffer);

  // Was no buffer given away (detached)?
  bool IsThere(napi_env env) const;
};

struct MemoryHandle {
  std::shared_ptr<Handles> handles;
  std::shared_ptr<Memory> memory;
};

// Throws a TypeError in JavaScript.
void ThrowTypeError(Napi::Env env, const char* message);

// The address in an external value, or nullptr for any other value.
void* AddressOf(napi_env env, napi_value value);

// The memory behind a value, or nullptr when that is no handle of ours.
MemoryHandle* TakeMemoryHandle(napi_env env, const Handles& handles, napi_value value);

// Makes a decoder, or nullptr for a number that is no ProtocolNumber. The memory must outlive it.
std::unique_ptr<Decoder> MakeDecoder(uint32_t protocol, Memory& memory,
                                     const DecoderOptions& options);

// Adds createMemory to the addon's exports.
void DefineMemory(Napi::Env env, Napi::Object exports, Instance* instance);

}  // namespace postern

#endif  // POSTERN_BINDING_MEMORY_H_
