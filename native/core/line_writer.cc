// Every place is checked before a byte is copied: one that is wrong ends the line, not the process.
#include "line_writer.h"

#include "abi.h"

namespace postern {
LineWriter::LineWriter(CellsView steps, CellsView cells, BytesView literals)
    : cells_(cells), literals_(literals) {
  for (size_t at = 0; at + kLineColumns <= steps.size(); at += kLineColumns) {
    steps_.push_back({steps.Get(at + LineColumn::kKind), steps.Get(at + LineColumn::kCell),
                      steps.Get(at + LineColumn::kTextStart),
                      steps.Get(at + LineColumn::kTextLength)});
  }
}

uint32_t LineWriter::Write(BytesView text, BytesView added, BytesView out, uint32_t at,
                           uint32_t second) const {
  if (cells_.Get(LineCell::kSecond) != 0 && cells_.Get(LineCell::kSecond) != second) return 0;
  ByteWriter line(out, at);
  for (const Step& step : steps_) {
    if (!line.Append(literals_, step.text_start, step.text_length)) return 0;
    if (step.kind == LineStep::kEnd) break;
    if (step.cell + 1 >= cells_.size()) return 0;
    const bool written = step.kind == LineStep::kNumber ? line.AppendNumber(cells_.Get(step.cell))
                                                        : Value(step.cell, text, added, line);
    if (!written) return 0;
  }
  return line.at();
}

bool LineWriter::Value(uint32_t cell, BytesView text, BytesView added, ByteWriter& line) const {
  const uint32_t start = cells_.Get(cell);
  const uint32_t length = cells_.Get(cell + 1);
  if (start >= kLineAdded) return line.Append(added, start - kLineAdded, length);
  if (start >= kLineLiterals) return line.Append(literals_, start - kLineLiterals, length);
  return line.AppendPlain(text, start, length);
}

}  // namespace postern
