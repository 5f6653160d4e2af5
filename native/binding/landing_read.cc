// What decoders expect → one readv; what came → their rows.
// A wrong guess costs a copy and nothing else: bytes are decoded in their order, wherever they lie.
// readv(2).
#include "landing_read.h"

#include <algorithm>

namespace postern {
namespace {

// Bytes of one read: about what a unix socket holds.
constexpr uint32_t kReadBytesMax = 262'144;
// With little body left the read shall not be smaller than any other; and there is always room for
// what follows a body.
constexpr uint32_t kReadBytes = 65'536;
constexpr uint32_t kTailBytesMin = 1'024;

}  // namespace

LandingRead::LandingRead(const BodyOutlook& outlook, BytesView ring, uint32_t ring_at,
                         uint32_t ring_room, const Landing& landing)
    : ring_(ring), landing_(landing.bytes()), ring_at_(ring_at), landing_at_(landing.at()) {
  const uint32_t room = std::min(ring_room, kReadBytesMax) - kTailBytesMin;
  uint32_t landing_room = landing_.size() - landing_at_;
  const auto fit = [&](uint64_t length) {
    return static_cast<uint32_t>(
        std::min<uint64_t>({length, landing_room - body_bytes_, room - bytes_}));
  };
  AddBody(fit(outlook.ahead_bytes));
  bool is_cut = body_bytes_ < outlook.ahead_bytes;
  uint64_t due = outlook.frame_bytes == 0 ? 0 : outlook.due_bytes;
  uint64_t frames = outlook.due_frames;
  while (!is_cut && due > 0 && frames > 0 && body_count_ < kBodiesMax &&
         room - bytes_ > outlook.gap_bytes) {
    AddRing(outlook.gap_bytes);
    const uint64_t length = std::min<uint64_t>(outlook.frame_bytes, due);
    const uint32_t part = fit(length);
    AddBody(part);
    is_cut = part < length;
    due -= length;
    frames--;
  }
  if (!is_cut) AddRing(std::max(kTailBytesMin, kReadBytes - std::min(bytes_, kReadBytes)));
}

void LandingRead::AddRing(uint32_t length) {
  places_[place_count_++] = {ring_.Space(ring_at_ + bytes_, length), length};
  bytes_ += length;
}

void LandingRead::AddBody(uint32_t length) {
  if (length == 0) return;
  const uint32_t landed_at = landing_at_ + body_bytes_;
  bodies_[body_count_++] = {bytes_, landed_at, length};
  places_[place_count_++] = {landing_.Space(landed_at, length), length};
  bytes_ += length;
  body_bytes_ += length;
}

uint32_t LandingRead::Take(uint32_t count, Decoder& decoder, const RowWriter& rows,
                           Landing& landing) {
  uint32_t at = 0;
  for (size_t i = 0; i < body_count_ && bodies_[i].start < count; i++) {
    const Body& body = bodies_[i];
    if (at < body.start) {
      decoder.Decode(ring_at_ + at, ring_at_ + body.start);
      at = rows.consumed() - ring_at_;
      if (at < body.start) break;
    }
    const uint32_t came = std::min(body.length, count - body.start);
    const uint32_t taken = std::min(came, decoder.Outlook().ahead_bytes);
    if (taken > 0) {
      decoder.TakeLanded(body.landed_at, taken);
      landing.HandOut(body.landed_at + taken);
    }
    at = body.start + taken;
    if (taken < came) break;
  }
  CopyBack(at, count, landing);
  return at;
}

// Bytes [from, count) of the stream that are in the landing go to their places in the ring.
void LandingRead::CopyBack(uint32_t from, uint32_t count, const Landing& landing) {
  for (size_t i = 0; i < body_count_; i++) {
    const Body& body = bodies_[i];
    const uint32_t start = std::max(body.start, from);
    const uint32_t end = std::min(body.start + body.length, count);
    if (start >= end) continue;
    const uint8_t* bytes =
        landing.bytes().Range(body.landed_at + (start - body.start), end - start);
    ring_.Write(ring_at_ + start, bytes, end - start);
  }
}

}  // namespace postern
