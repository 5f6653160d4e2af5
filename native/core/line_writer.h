// Places of values → one line of a log, copied together.
// It escapes nothing: a value of a peer that needs an escape is the caller's to write, who has the
// specification (src/observe/access-format.ts). Twin of what it serves: src/observe/plain-lines.ts.
#ifndef POSTERN_CORE_LINE_WRITER_H_
#define POSTERN_CORE_LINE_WRITER_H_

#include <cstdint>
#include <vector>

#include "byte_writer.h"
#include "bytes.h"

namespace postern {

class LineWriter {
 public:
  LineWriter() = default;
  // `steps` holds kLineColumns cells a step (LineColumn), and is copied; `cells` two a value.
  LineWriter(CellsView steps, CellsView cells, BytesView literals);

  // Writes one line at `at` of `out`: values are in `text`, which a peer has sent, in `added`,
  // which is escaped, and in the literals. Returns the offset behind it, or 0 where a value needs
  // an escape, the line does not fit, a place is none, or the literals are of another second:
  // LineCell::kSecond, unless that is 0.
  uint32_t Write(BytesView text, BytesView added, BytesView out, uint32_t at,
                 uint32_t second) const;

 private:
  struct Step {
    uint32_t kind;
    uint32_t cell;
    uint32_t text_start;
    uint32_t text_length;
  };

  bool Value(uint32_t cell, BytesView text, BytesView added, ByteWriter& line) const;

  std::vector<Step> steps_;
  CellsView cells_;
  BytesView literals_;
};

}  // namespace postern

#endif  // POSTERN_CORE_LINE_WRITER_H_
