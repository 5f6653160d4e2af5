// Where body bytes are read to when they are to stay where they are: a piece of memory that
// TypeScript gave, filled from the front. What was handed out is never written again; TypeScript
// gives another piece when this one is full. It reads nothing itself. Twin of what it serves:
// src/wire/landing.ts.
#ifndef POSTERN_BINDING_LANDING_H_
#define POSTERN_BINDING_LANDING_H_

#include <napi.h>

#include <cstdint>

#include "bytes.h"

namespace postern {

class Landing {
 public:
  // Takes a piece, in place of the one before. Returns false for what is no Uint8Array.
  bool Take(napi_env env, napi_value piece);

  // Bytes that are free, as long as nobody has given the piece away (detached): then none.
  uint32_t Room(napi_env env) const;

  // Where the next bytes go.
  uint32_t at() const { return at_; }
  BytesView bytes() const { return bytes_; }

  // Bytes before `at` are TypeScript's from now on.
  void HandOut(uint32_t at) { at_ = at; }

 private:
  Napi::Reference<Napi::ArrayBuffer> buffer_;
  BytesView bytes_;
  uint32_t at_ = 0;
};

}  // namespace postern

#endif  // POSTERN_BINDING_LANDING_H_
