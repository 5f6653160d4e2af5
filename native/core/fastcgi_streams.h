// STDIN, DATA and ABORT records of known requests → BODY, DATA and ABORT rows (FastCGI
// specification §5.3, §5.4, §6.4). It frames no records and reads no PARAMS beyond gathering them;
// headers and contents are given to it one by one. Twin: src/protocols/fastcgi/request-streams.ts.
#ifndef POSTERN_CORE_FASTCGI_STREAMS_H_
#define POSTERN_CORE_FASTCGI_STREAMS_H_

#include <cstdint>

#include "abi.h"
#include "bytes.h"
#include "fastcgi_params.h"
#include "fastcgi_requests.h"
#include "row_writer.h"

namespace postern {

// What the content of the current record is for. kDrain: body of a request that is over, only
// counted.
enum class ContentUse : uint8_t { kSkip, kGather, kBody, kData, kDrain };

// The streams of one connection's requests. What it is given is borrowed from the connection's
// decoder. Precondition of every method that is given a record: room for two event rows.
class RequestStreams {
 public:
  RequestStreams(RowWriter& rows, RequestTable& requests, const ParamsReader& params,
                 uint64_t body_bytes, uint64_t head_bytes)
      : rows_(rows),
        requests_(requests),
        params_(params),
        body_bytes_(body_bytes),
        head_bytes_(head_bytes) {}

  // A record begins whose content is for nobody.
  void Skip() {
    use_ = ContentUse::kSkip;
    slot_ = nullptr;
  }

  // A PARAMS record with content begins that has to be gathered.
  void Gather(RequestSlot& slot) {
    use_ = ContentUse::kGather;
    slot_ = &slot;
  }

  // Ends one request's input: one row, then its records are dropped until our end is noted.
  void Fail(RequestSlot& slot, ErrorNumber number);

  // The header of a record other than BEGIN_REQUEST and PARAMS, for an id that is active.
  // Returns Error::kNone, or an error of connection scope.
  ErrorNumber Record(RequestSlot& slot, uint32_t type, uint32_t content_bytes);

  // The header of any record but BEGIN_REQUEST, for a request that failed, was aborted or has
  // ended. Returns Error::kNone, or an error of connection scope.
  ErrorNumber Drop(RequestSlot& slot, uint32_t type, uint32_t content_bytes);

  // `n` content bytes of the current record, at ring offset `at` or, with BodyDetail::kLanded, that
  // of the landing; then they are a body's.
  void Content(BytesView bytes, uint32_t at, uint32_t n, uint32_t detail);

  // Bytes still to come of the body that the current record belongs to, UINT64_MAX where its length
  // is unknown; 0 where the record is of no body.
  uint64_t BodyDue() const;

  // Decoder::NoteEvent.
  void NoteEvent(uint32_t event, uint32_t id);

 private:
  void BeginStdin(RequestSlot& slot, uint32_t content_bytes);
  void EndStdin(RequestSlot& slot);
  void Body(RequestSlot& slot, uint32_t at, uint32_t n, uint32_t detail);
  void GatherContent(RequestSlot& slot, BytesView bytes, uint32_t at, uint32_t n);
  void BuryZombie(RequestSlot& slot);
  void Leave(const RequestSlot& slot);
  void Settle();

  RowWriter& rows_;
  RequestTable& requests_;
  const ParamsReader& params_;
  uint64_t body_bytes_;
  uint64_t head_bytes_;
  uint64_t zombie_bytes_ = 0;
  ContentUse use_ = ContentUse::kSkip;
  // Whose the current record is.
  RequestSlot* slot_ = nullptr;
};

}  // namespace postern

#endif  // POSTERN_CORE_FASTCGI_STREAMS_H_
