// What decoders saw → rows of integers in the tables of TypeScript. One writer serves all decoders
// of one memory: rows of several may follow each other, until somebody calls Begin(). It gives them
// no meaning and makes no room: the decoder asks HasRoom before it consumes.
// Twin: RowWriter in src/wire/tables.ts.
#ifndef POSTERN_CORE_ROW_WRITER_H_
#define POSTERN_CORE_ROW_WRITER_H_

#include <cstdint>

#include "abi.h"
#include "bytes.h"

namespace postern {

class RowWriter {
 public:
  RowWriter() = default;
  // Precondition: `state` has kStateCells cells; the memory of all three outlives this writer.
  RowWriter(CellsView events, CellsView fields, CellsView state)
      : events_(events), fields_(fields), state_(state) {}

  // Event rows written since Begin().
  uint32_t event_count() const { return event_count_; }

  // Field rows written since Begin(); the index of the next one.
  uint32_t field_count() const { return field_count_; }

  // Most fields of one head: the field rows of the table without those that every head may need
  // beside them.
  size_t field_limit() const {
    const size_t rows = fields_.size() / kFieldWidth;
    return rows < kFieldRowsExtra ? 0 : rows - kFieldRowsExtra;
  }

  // Tables and head area are empty again. For whoever calls decoders, before the first of them.
  void Begin() {
    event_count_ = 0;
    field_count_ = 0;
    head_bytes_ = 0;
  }

  // The number of the connection whose decoder writes next: a column of its rows.
  void SetConnection(uint32_t connection) { connection_ = connection; }

  // Bytes of the head area that gathered heads have taken since Begin().
  uint32_t head_bytes() const { return head_bytes_; }

  // A gathered head has taken `count` more bytes of the head area. Precondition: they are there.
  void TakeHeadBytes(uint32_t count) { head_bytes_ += count; }

  // Is there room for `events` more event rows and `fields` more field rows?
  bool HasRoom(uint32_t events, uint32_t fields) const {
    return (uint64_t{event_count_} + events) * kEventWidth <= events_.size() &&
           (uint64_t{field_count_} + fields) * kFieldWidth <= fields_.size();
  }

  // Writes one event row. Precondition: HasRoom(1, 0).
  void Event(int32_t kind, uint32_t exchange_id, uint32_t start, uint32_t length, uint32_t detail) {
    int32_t* row = events_.Range(size_t{event_count_} * kEventWidth, kEventWidth);
    row[EventColumn::kKind] = kind;
    row[EventColumn::kConnection] = static_cast<int32_t>(connection_);
    row[EventColumn::kExchangeId] = static_cast<int32_t>(exchange_id);
    row[EventColumn::kStart] = static_cast<int32_t>(start);
    row[EventColumn::kLength] = static_cast<int32_t>(length);
    row[EventColumn::kDetail] = static_cast<int32_t>(detail);
    event_count_++;
  }

  // Writes one field row; `name` is an id or minus a ring offset. Precondition: HasRoom(0, 1).
  void Field(int32_t name, uint32_t name_length, uint32_t value_start, uint32_t value_length) {
    int32_t* row = fields_.Range(size_t{field_count_} * kFieldWidth, kFieldWidth);
    row[0] = name;
    row[1] = static_cast<int32_t>(name_length);
    row[2] = static_cast<int32_t>(value_start);
    row[3] = static_cast<int32_t>(value_length);
    field_count_++;
  }

  // Takes field rows back to `count`, when a head turns out to be wrong half-way.
  void RewindFields(uint32_t count) { field_count_ = count; }

  // Writes one column of a head row. Precondition: `row` was written.
  void SetField(uint32_t row, uint32_t column, uint32_t value) {
    fields_.Set(size_t{row} * kFieldWidth + column, static_cast<int32_t>(value));
  }

  // Shall TypeScript give memory for bodies before it goes on?
  void WantPiece(bool wanted) { state_.Set(StateCell::kPieceWanted, wanted ? 1 : 0); }

  // Ends a decode call and returns the number of event rows since Begin().
  uint32_t End(uint32_t consumed, bool more) {
    state_.Set(StateCell::kConsumed, static_cast<int32_t>(consumed));
    state_.Set(StateCell::kMore, more ? 1 : 0);
    consumed_ = consumed;
    more_ = more;
    return event_count_;
  }

  // What the last End() was told.
  uint32_t consumed() const { return consumed_; }
  bool more() const { return more_; }

 private:
  CellsView events_;
  CellsView fields_;
  CellsView state_;
  uint32_t event_count_ = 0;
  uint32_t field_count_ = 0;
  uint32_t head_bytes_ = 0;
  uint32_t connection_ = 0;
  uint32_t consumed_ = 0;
  bool more_ = false;
};

}  // namespace postern

#endif  // POSTERN_CORE_ROW_WRITER_H_
