// AJP packets → event rows (Apache JServ Protocol 1.3, ajpv13a "Packet Structure").
//
//   0       2        4
//   ┌───────┬────────┬─────────┐
//   │ 12 34 │ length │ payload │   body packets have no type byte: what a packet is depends on what
//   is due │ u16   │ u16    │         │ └───────┴────────┴─────────┘
//
// A packet waits until it is whole, save body packets where DecoderOptions::streams_bodies says
// that parts of them are handed over. One exchange at a time, numbered 1. Does no I/O and makes no
// strings. Twin: src/protocols/ajp/decoder.ts — same states, same rows, same errors.
#ifndef POSTERN_CORE_AJP_DECODER_H_
#define POSTERN_CORE_AJP_DECODER_H_

#include <cstdint>

#include "ajp_forward_request.h"
#include "decoder.h"
#include "row_writer.h"

namespace postern {

class AjpDecoder final : public Decoder {
 public:
  AjpDecoder(const Ring& ring, RowWriter& rows, const DecoderOptions& options);

  uint32_t Decode(uint32_t start, uint32_t end) override;
  void NoteEvent(uint32_t event, uint32_t exchange_id) override;
  BodyOutlook Outlook() const override;
  void TakeLanded(uint32_t start, uint32_t n) override { TakePart(start, n, BodyDetail::kLanded); }
  bool IsQuiet() const override { return state_ == State::kIdle; }
  bool IsResting() const override { return state_ == State::kIdle; }

 private:
  // What may come next.
  enum class State : uint8_t {
    // Forward Request or CPing.
    kIdle,
    // A request is open: the body packets that are due.
    kOpen,
    // Our end has left; body packets of the ended request are still due.
    kLeftover,
    // Failed: everything is dropped.
    kDead,
  };

  // Each returns the offset after what it consumed; Packet() may return kStop: the bytes from `at`
  // on stay.
  uint32_t Packet(uint32_t at, uint32_t end);
  uint32_t IdlePacket(uint32_t start, uint32_t next, uint32_t end);
  uint32_t ForwardRequest(uint32_t start, uint32_t next, uint32_t end);
  uint32_t BodyPacket(uint32_t start, uint32_t next, uint32_t end);
  ErrorNumber JudgeBody(uint32_t count) const;
  uint32_t BeginParts(uint32_t start, uint32_t length, uint32_t end);
  void TakePart(uint32_t start, uint32_t n, uint32_t detail);
  void EndLeftover();
  uint32_t EndMarker(uint32_t next, uint32_t end);
  void EndBody();
  int64_t ReadLength() const;
  uint32_t Fail(uint32_t exchange_id, ErrorNumber number, uint32_t end);
  uint32_t Kill(ErrorNumber number, uint32_t end);

  BytesView bytes_;
  RowWriter& rows_;
  ForwardRequestReader request_;
  // Largest payload; negative for packet sizes that do not even hold a header.
  int64_t payload_max_;
  uint64_t body_bytes_;
  bool raw_body_;
  bool streams_bodies_;
  State state_ = State::kIdle;
  bool more_ = false;
  // HEAD was written and our end has not left.
  bool is_open_ = false;
  // BODY_END was written.
  bool body_ended_ = false;
  // Body packets that are due: the first of a known length, which comes unasked, and one for each
  // that we asked for.
  uint32_t due_ = 0;
  // Content-Length, or −1 when unknown; and the body bytes that have come.
  int64_t content_length_ = -1;
  uint64_t seen_bytes_ = 0;
  // Body bytes of the last packet, and those of them still to come where it is taken in parts.
  uint32_t packet_bytes_ = 0;
  uint32_t part_bytes_ = 0;
};

}  // namespace postern

#endif  // POSTERN_CORE_AJP_DECODER_H_
