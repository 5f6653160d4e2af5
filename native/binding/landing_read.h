// One read of a body's bytes to where they stay: what is expected → places, and what came → rows.
//
//   stream   │ content, rest of │ gap │ content     │ gap │ content     │ more
//   read to  │ landing          │ ring│ landing     │ ring│ landing     │ ring
//
// Contents lie one behind the other in the landing, so that many frames are one chunk. Whatever is
// not of the ring keeps its place there free: where a frame is not as was expected, the rest is
// copied to those places and decoded as ever. It asks decoders what to expect and knows no
// protocol.
#ifndef POSTERN_BINDING_LANDING_READ_H_
#define POSTERN_BINDING_LANDING_READ_H_

#include <sys/uio.h>

#include <array>
#include <cstdint>

#include "decoder.h"
#include "landing.h"

namespace postern {

class LandingRead {
 public:
  // Fewer body bytes are not worth the places.
  static constexpr uint32_t kBytesMin = 8'192;
  // Event rows that one read may make, beside those of what is copied.
  static constexpr uint32_t kEventRows = 64;

  // Plans a read of which byte 0 would be at `ring_at` of the ring, with `ring_room` bytes to go.
  // Precondition: the landing has room.
  LandingRead(const BodyOutlook& outlook, BytesView ring, uint32_t ring_at, uint32_t ring_room,
              const Landing& landing);

  // Body bytes expected; below kBytesMin the plan is not to be used.
  uint32_t body_bytes() const { return body_bytes_; }
  // Bytes that the read can bring.
  uint32_t bytes() const { return bytes_; }
  const iovec* places() const { return places_.data(); }
  size_t place_count() const { return place_count_; }

  // Decodes the first `count` bytes, which came, as far as they are as expected. Returns how many
  // bytes that were; the others are in the ring then, at their places.
  uint32_t Take(uint32_t count, Decoder& decoder, const RowWriter& rows, Landing& landing);

 private:
  static constexpr size_t kBodiesMax = 16;

  // Content bytes: place in the stream, place in the landing.
  struct Body {
    uint32_t start;
    uint32_t landed_at;
    uint32_t length;
  };

  void AddRing(uint32_t length);
  void AddBody(uint32_t length);
  void CopyBack(uint32_t from, uint32_t count, const Landing& landing);

  BytesView ring_;
  BytesView landing_;
  uint32_t ring_at_;
  uint32_t landing_at_;
  uint32_t bytes_ = 0;
  uint32_t body_bytes_ = 0;
  std::array<Body, kBodiesMax> bodies_;
  size_t body_count_ = 0;
  std::array<iovec, 2 * kBodiesMax + 1> places_;
  size_t place_count_ = 0;
};

}  // namespace postern

#endif  // POSTERN_BINDING_LANDING_READ_H_
