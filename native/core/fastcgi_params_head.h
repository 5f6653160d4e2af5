// A whole PARAMS stream → the HEAD row of its request (FastCGI specification §5.2; RFC 3875
// §4.1.2). Where the stream lies in one piece in the ring it is read there; else the gathered
// pieces are put into the head area. It frames nothing. Twin: src/protocols/fastcgi/params-head.ts.
#ifndef POSTERN_CORE_FASTCGI_PARAMS_HEAD_H_
#define POSTERN_CORE_FASTCGI_PARAMS_HEAD_H_

#include <cstdint>

#include "decoder.h"
#include "fastcgi_params.h"
#include "fastcgi_requests.h"
#include "row_writer.h"

namespace postern {

// Writes the HEAD rows of one connection. `rows` and `params` are borrowed from its decoder.
class HeadWriter {
 public:
  HeadWriter(const Ring& ring, RowWriter& rows, ParamsReader& params, uint64_t body_bytes)
      : ring_(ring), rows_(rows), params_(params), body_bytes_(body_bytes) {}

  // Writes the head of a request whose PARAMS were gathered. Precondition: room for two event rows.
  ParamsResult WriteGathered(RequestSlot& slot);

  // Writes HEAD, its field rows and, where there is no body, BODY_END; the request is in its body
  // then. Precondition: room for two event rows; [start, end) is the PARAMS stream in the ring.
  ParamsResult WriteHead(RequestSlot& slot, uint32_t start, uint32_t end);

 private:
  int64_t ReadLength() const;

  Ring ring_;
  RowWriter& rows_;
  ParamsReader& params_;
  uint64_t body_bytes_;
};

}  // namespace postern

#endif  // POSTERN_CORE_FASTCGI_PARAMS_HEAD_H_
