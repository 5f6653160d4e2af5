// Values that JavaScript hands in → numbers and memory, each one checked before it is used.
// It keeps nothing and throws nothing: what is wrong comes back as "no value", and the caller says
// so. Node-API version 8, no exceptions.
#ifndef POSTERN_BINDING_JS_VALUES_H_
#define POSTERN_BINDING_JS_VALUES_H_

#include <napi.h>

#include <cstdint>
#include <optional>

#include "decoder.h"

namespace postern {

// One typed array as JavaScript handed it in.
struct TypedMemory {
  void* data = nullptr;
  // Elements.
  size_t length = 0;
  Napi::ArrayBuffer buffer;
};

// Takes a typed array of `type` over plain memory. Returns nothing when the value is anything else:
// another type, over shared or resizable memory, detached, or shorter than `length_min` elements.
std::optional<TypedMemory> TakeMemory(Napi::Env env, const Napi::Value& value,
                                      napi_typedarray_type type, size_t length_min);

// Takes a whole number from 0 to `max`.
std::optional<uint32_t> TakeNumber(Napi::Env env, napi_value value, uint32_t max);

// Takes the ten numbers of DecoderOption, in a Float64Array. A limit is a whole number or Infinity;
// everything from 2^63 up counts as switched off. Nothing for negative numbers, fractions and NaN.
std::optional<DecoderOptions> TakeOptions(Napi::Env env, const Napi::Value& value);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_VALUES_H_
