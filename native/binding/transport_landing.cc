// Reading the rest of a body to where it stays.
// Heads, and bodies of which little is left, are read to the ring and copied. Memory for bodies is
// TypeScript's to give: a read that finds none waits for the next Poll().
#include <algorithm>

#include "landing_read.h"
#include "transport.h"

namespace postern {
namespace {

// Room below which a read waits for another piece.
constexpr uint32_t kRoomMin = 65'536;
// Smaller frames are copied: as many places cost more.
constexpr uint32_t kFrameBytesMin = 4'096;

// Body bytes that are likely to come, as far as they matter.
uint64_t LikelyBytes(const BodyOutlook& outlook) {
  if (outlook.frame_bytes == 0 || outlook.due_frames == 0) return outlook.ahead_bytes;
  const uint64_t frames = std::min<uint64_t>(outlook.due_frames, kRoomMin);
  return outlook.ahead_bytes + std::min(outlook.due_bytes, frames * outlook.frame_bytes);
}

}  // namespace

bool Transport::Land(napi_value piece) {
  if (!landing_.Take(env_, piece)) return false;
  wanted_in_ = 0;
  memory_->rows.WantPiece(false);
  return true;
}

// Reads a connection of which body bytes are expected. Returns whether that is done, be it that the
// read waits; false: it is to be read to the ring.
bool Transport::ReadBody(Connection& connection, uint32_t events) {
  if (connection.decoder == nullptr || connection.dropping || !connection.remainder.empty()) {
    return false;
  }
  BodyOutlook outlook = connection.decoder->Outlook();
  if (outlook.frame_bytes < kFrameBytesMin) outlook.frame_bytes = 0;
  const uint64_t likely = LikelyBytes(outlook);
  RowWriter& rows = memory_->rows;
  if (likely < LandingRead::kBytesMin || !rows.HasRoom(LandingRead::kEventRows, 0)) return false;
  if (landing_.Room(env_) < std::min<uint64_t>(likely, kRoomMin)) {
    if (wanted_in_ == 0) {
      wanted_in_ = polls_;
      rows.WantPiece(true);
    }
    // Asked before, and not given: it does without.
    if (wanted_in_ != polls_) return false;
    again_.push_back(connection.id);
    return true;
  }
  Ring& ring = memory_->ring;
  LandingRead read(outlook, ring.bytes, read_at_, ring.read_end - read_at_, landing_);
  if (read.body_bytes() < LandingRead::kBytesMin) return false;
  const int64_t count = sockets::ReadTo(connection.fd, read.places(), read.place_count());
  if (!Came(connection, count, events)) return true;
  const uint32_t bytes = static_cast<uint32_t>(count);
  if (bytes == read.bytes()) again_.push_back(connection.id);
  rows.SetConnection(connection.id);
  const uint32_t start = read_at_;
  const uint32_t end = start + bytes;
  const uint32_t taken = read.Take(bytes, *connection.decoder, rows, landing_);
  read_at_ = end;
  if (taken < bytes) Decode(connection, start + taken, end);
  return true;
}

}  // namespace postern
