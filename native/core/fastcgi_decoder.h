// FastCGI records → event rows (FastCGI specification §3.3).
//
//   0        1      2        4             6             7         8
//   ┌────────┬──────┬────────┬─────────────┬─────────────┬─────────┬───────────┬───────────┐
//   │version │ type │request │contentLength│paddingLength│reserved │contentData│paddingData│
//   │ 1      │ u8   │Id u16  │ u16         │ u8          │ u8      │           │           │
//   └────────┴──────┴────────┴─────────────┴─────────────┴─────────┴───────────┴───────────┘
//
// Numbers are big-endian. Does no I/O and makes no strings. Answers nothing: replies are the
// encoder's. Twin: src/protocols/fastcgi/decoder.ts — same states, same rows, same errors.
#ifndef POSTERN_CORE_FASTCGI_DECODER_H_
#define POSTERN_CORE_FASTCGI_DECODER_H_

#include <cstdint>

#include "decoder.h"
#include "fastcgi_params.h"
#include "fastcgi_params_head.h"
#include "fastcgi_requests.h"
#include "fastcgi_streams.h"
#include "row_writer.h"

namespace postern {

class FastcgiDecoder final : public Decoder {
 public:
  FastcgiDecoder(const Ring& ring, RowWriter& rows, const DecoderOptions& options);

  uint32_t Decode(uint32_t start, uint32_t end) override;
  void NoteEvent(uint32_t event, uint32_t exchange_id) override;
  BodyOutlook Outlook() const override;
  void TakeLanded(uint32_t start, uint32_t n) override { Content(start, n, BodyDetail::kLanded); }
  bool IsQuiet() const override { return state_ == State::kExpectHeader && requests_.is_quiet(); }
  bool IsResting() const override {
    return state_ == State::kExpectHeader && requests_.active_count() == 0 &&
           requests_.dropped_count() == 0;
  }

 private:
  // What the next byte belongs to.
  enum class State : uint8_t { kExpectHeader, kInContent, kInPadding, kDead };

  // Each returns the offset after what it consumed, or kStop: the bytes from `at` on stay.
  uint32_t Header(uint32_t at, uint32_t end);
  void Content(uint32_t at, uint32_t n, uint32_t detail);
  uint32_t Padding(uint32_t at, uint32_t end);
  uint32_t Control(uint32_t type, uint32_t id, uint32_t at, uint32_t end);
  uint32_t Begin(uint32_t id, uint32_t at, uint32_t end);
  uint32_t Record(uint32_t type, uint32_t id, uint32_t at, uint32_t end);
  uint32_t BeginParams(RequestSlot& slot, uint32_t at, uint32_t end);
  uint32_t EndParams(RequestSlot& slot, uint32_t at);
  uint32_t FinishHead(RequestSlot& slot, ErrorNumber failure, uint32_t at);
  uint32_t Accept(uint32_t at);
  uint32_t Skip(uint32_t at);
  uint32_t Kill(ErrorNumber number, uint32_t end);
  bool HasRoom();
  bool IsEndOfParams(uint32_t id, uint32_t at, uint32_t end) const;

  BytesView bytes_;
  RowWriter& rows_;
  RequestTable requests_;
  uint64_t head_bytes_;
  uint64_t head_records_;
  uint64_t requests_max_;
  ParamsReader params_;
  HeadWriter heads_;
  RequestStreams streams_;
  State state_ = State::kExpectHeader;
  bool more_ = false;
  // Content and padding bytes of the current record still to come.
  uint32_t content_bytes_ = 0;
  uint32_t padding_bytes_ = 0;
  // Content and padding bytes of the last header.
  uint32_t record_bytes_ = 0;
  uint32_t record_padding_bytes_ = 0;
  uint32_t controls_ = 0;
  uint32_t refusals_ = 0;
  uint64_t stray_bytes_ = 0;
};

}  // namespace postern

#endif  // POSTERN_CORE_FASTCGI_DECODER_H_
