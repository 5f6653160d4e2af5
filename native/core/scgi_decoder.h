// SCGI bytes → event rows (SCGI protocol document, revision of 2008-06-23).
//
//   ┌────────────┬───┬──────────────────────────────────┬───┬──────────────────────┐
//   │ digits     │ : │ name NUL value NUL  (again, …)   │ , │ CONTENT_LENGTH bytes │
//   └────────────┴───┴──────────────────────────────────┴───┴──────────────────────┘
//
// One connection is one request, exchange 1; its few rows always fit into empty tables. Does no I/O
// and makes no strings. Twin: src/protocols/scgi/decoder.ts — same states, same rows, same errors.
#ifndef POSTERN_CORE_SCGI_DECODER_H_
#define POSTERN_CORE_SCGI_DECODER_H_

#include <cstdint>

#include "decoder.h"
#include "gathered_bytes.h"
#include "row_writer.h"
#include "scgi_headers.h"

namespace postern {

class ScgiDecoder final : public Decoder {
 public:
  ScgiDecoder(const Ring& ring, RowWriter& rows, const DecoderOptions& options);

  uint32_t Decode(uint32_t start, uint32_t end) override;
  void NoteEvent(uint32_t event, uint32_t exchange_id) override;
  BodyOutlook Outlook() const override;
  void TakeLanded(uint32_t start, uint32_t n) override { TakeBody(start, n, BodyDetail::kLanded); }
  bool IsQuiet() const override { return is_quiet_; }
  bool IsResting() const override { return state_ == State::kInLength && digits_ == 0; }

 private:
  // What the next byte belongs to.
  enum class State : uint8_t {
    // Digits of the netstring's length, or its colon.
    kInLength,
    kInHeaders,
    kExpectComma,
    kInBody,
    // The body is complete: one request a connection, so the rest is dropped.
    kAfterBody,
    // An upgrade was asked for: bytes stay where they are until we have answered.
    kWaiting,
    // 101 was sent: everything is BODY.
    kUpgraded,
    // Failed, or our end has left: everything is dropped.
    kDead,
  };

  // Each takes at least one byte of [at, end) and returns the offset after what was taken.
  uint32_t Step(uint32_t at, uint32_t end);
  uint32_t Length(uint32_t at, uint32_t end);
  uint32_t Head(uint32_t at, uint32_t end);
  uint32_t Comma(uint32_t at, uint32_t end);
  uint32_t FinishHead(uint32_t start, uint32_t next, uint32_t end);
  uint32_t Body(uint32_t at, uint32_t end);
  void TakeBody(uint32_t start, uint32_t n, uint32_t detail);
  uint32_t Fail(uint32_t exchange_id, ErrorNumber number, uint32_t end);

  Ring ring_;
  RowWriter& rows_;
  HeaderReader headers_;
  uint64_t head_bytes_;
  uint64_t body_bytes_;
  GatheredBytes gather_;
  State state_ = State::kInLength;
  // Our end has left after the whole request had come.
  bool is_quiet_ = false;
  // Digits of the length seen, and their value so far: at most 10 × head_bytes_ + 9, and
  // head_bytes_ fits 32 bits.
  uint64_t digits_ = 0;
  uint64_t headers_length_ = 0;
  // Bytes of the body still to come.
  uint64_t due_bytes_ = 0;
};

}  // namespace postern

#endif  // POSTERN_CORE_SCGI_DECODER_H_
