// The numbers of core/abi.h → a list that JavaScript can compare, name by name.
// It judges nothing: engine/native.ts does, and says which number differs.
// Names are those of src/wire/abi.ts, src/wire/limits.ts and src/errors.ts.
#ifndef POSTERN_BINDING_ABI_REPORT_H_
#define POSTERN_BINDING_ABI_REPORT_H_

#include "abi.h"

namespace postern {

struct AbiNumber {
  const char* name;
  double number;
};

template <typename T>
constexpr double Number(T value) {
  return static_cast<double>(value);
}

inline constexpr AbiNumber kAbiNumbers[] = {
    {"EVENT_WIDTH", Number(kEventWidth)},
    {"FIELD_WIDTH", Number(kFieldWidth)},
    {"EVENT_ROWS", Number(kEventRows)},
    {"FIELD_ROWS_EXTRA", Number(kFieldRowsExtra)},
    {"STATE_CELLS", Number(kStateCells)},
    {"DECODER_OPTIONS", Number(kDecoderOptions)},
    {"EventColumn.KIND", Number(EventColumn::kKind)},
    {"EventColumn.CONNECTION", Number(EventColumn::kConnection)},
    {"EventColumn.EXCHANGE_ID", Number(EventColumn::kExchangeId)},
    {"EventColumn.START", Number(EventColumn::kStart)},
    {"EventColumn.LENGTH", Number(EventColumn::kLength)},
    {"EventColumn.DETAIL", Number(EventColumn::kDetail)},
    {"RowKind.BEGIN", Number(RowKind::kBegin)},
    {"RowKind.HEAD", Number(RowKind::kHead)},
    {"RowKind.BODY", Number(RowKind::kBody)},
    {"RowKind.BODY_END", Number(RowKind::kBodyEnd)},
    {"RowKind.DATA", Number(RowKind::kData)},
    {"RowKind.DATA_END", Number(RowKind::kDataEnd)},
    {"RowKind.ABORT", Number(RowKind::kAbort)},
    {"RowKind.CONTROL", Number(RowKind::kControl)},
    {"RowKind.ERROR", Number(RowKind::kError)},
    {"TransportRow.OPEN", Number(TransportRow::kOpen)},
    {"TransportRow.SPEAKS", Number(TransportRow::kSpeaks)},
    {"TransportRow.ENDED", Number(TransportRow::kEnded)},
    {"TransportRow.DRAINED", Number(TransportRow::kDrained)},
    {"TransportRow.GONE", Number(TransportRow::kGone)},
    {"TransportRow.DROPPED", Number(TransportRow::kDropped)},
    {"TransportRow.HELD", Number(TransportRow::kHeld)},
    {"TransportRow.ACCEPT_FAILED", Number(TransportRow::kAcceptFailed)},
    {"EndedDetail.HALF", Number(EndedDetail::kHalf)},
    {"EndedDetail.CLOSED", Number(EndedDetail::kClosed)},
    {"EndedDetail.UNREAD", Number(EndedDetail::kUnread)},
    {"Role.RESPONDER", Number(Role::kResponder)},
    {"Role.AUTHORIZER", Number(Role::kAuthorizer)},
    {"Role.FILTER", Number(Role::kFilter)},
    {"KEEP_CONNECTION", Number(kKeepConnection)},
    {"BodyKind.NONE", Number(BodyKind::kNone)},
    {"BodyKind.KNOWN", Number(BodyKind::kKnown)},
    {"BodyKind.UNKNOWN", Number(BodyKind::kUnknown)},
    {"BodyDetail.LANDED", Number(BodyDetail::kLanded)},
    {"BodyDetail.PART", Number(BodyDetail::kPart)},
    {"HeadColumn.BYTES_START", Number(HeadColumn::kBytesStart)},
    {"HeadColumn.BYTES_LENGTH", Number(HeadColumn::kBytesLength)},
    {"HeadColumn.META_A", Number(HeadColumn::kMetaA)},
    {"HeadColumn.META_B", Number(HeadColumn::kMetaB)},
    {"Note.ASKED", Number(Note::kAsked)},
    {"Note.ENDED", Number(Note::kEnded)},
    {"Note.UPGRADED", Number(Note::kUpgraded)},
    {"StateCell.CONSUMED", Number(StateCell::kConsumed)},
    {"StateCell.MORE", Number(StateCell::kMore)},
    {"StateCell.PIECE_WANTED", Number(StateCell::kPieceWanted)},
    {"DecoderOption.HEAD_BYTES", Number(DecoderOption::kHeadBytes)},
    {"DecoderOption.FIELD_COUNT", Number(DecoderOption::kFieldCount)},
    {"DecoderOption.NAME_BYTES", Number(DecoderOption::kNameBytes)},
    {"DecoderOption.VALUE_BYTES", Number(DecoderOption::kValueBytes)},
    {"DecoderOption.BODY_BYTES", Number(DecoderOption::kBodyBytes)},
    {"DecoderOption.HEAD_RECORDS", Number(DecoderOption::kHeadRecords)},
    {"DecoderOption.REQUESTS_PER_CONNECTION", Number(DecoderOption::kRequestsPerConnection)},
    {"DecoderOption.AJP_PACKET_BYTES", Number(DecoderOption::kAjpPacketBytes)},
    {"DecoderOption.AJP_RAW_BODY", Number(DecoderOption::kAjpRawBody)},
    {"DecoderOption.SCGI_STRICT", Number(DecoderOption::kScgiStrict)},
    {"ProtocolNumber.FASTCGI", Number(ProtocolNumber::kFastcgi)},
    {"ProtocolNumber.SCGI", Number(ProtocolNumber::kScgi)},
    {"ProtocolNumber.AJP", Number(ProtocolNumber::kAjp)},
    {"STRAY_BYTES_MAX", Number(kStrayBytesMax)},
    {"ZOMBIE_BYTES_MAX", Number(kZombieBytesMax)},
    {"ZOMBIES_MAX", Number(kZombiesMax)},
    {"CONTROLS_MAX", Number(kControlsMax)},
    {"REFUSALS_MAX", Number(kRefusalsMax)},
    {"CONTENT_LENGTH_MAX", Number(kContentLengthMax)},
    {"ERRORS.FCGI_VERSION", Number(Error::kFcgiVersion)},
    {"ERRORS.FCGI_BEGIN_LENGTH", Number(Error::kFcgiBeginLength)},
    {"ERRORS.FCGI_REQUEST_ID", Number(Error::kFcgiRequestId)},
    {"ERRORS.FCGI_DUPLICATE_BEGIN", Number(Error::kFcgiDuplicateBegin)},
    {"ERRORS.FCGI_DIRECTION", Number(Error::kFcgiDirection)},
    {"ERRORS.FCGI_PARAMS_ORDER", Number(Error::kFcgiParamsOrder)},
    {"ERRORS.FCGI_STRAY_BYTES", Number(Error::kFcgiStrayBytes)},
    {"ERRORS.FCGI_CONTROLS", Number(Error::kFcgiControls)},
    {"ERRORS.FCGI_REFUSALS", Number(Error::kFcgiRefusals)},
    {"ERRORS.FCGI_ROLE", Number(Error::kFcgiRole)},
    {"ERRORS.FCGI_CANT_MPX", Number(Error::kFcgiCantMpx)},
    {"ERRORS.FCGI_OVERLOADED", Number(Error::kFcgiOverloaded)},
    {"ERRORS.FCGI_PARAMS", Number(Error::kFcgiParams)},
    {"ERRORS.CONTENT_LENGTH", Number(Error::kContentLength)},
    {"ERRORS.BODY_SHORT", Number(Error::kBodyShort)},
    {"ERRORS.LIMIT_HEAD_BYTES", Number(Error::kLimitHeadBytes)},
    {"ERRORS.LIMIT_FIELD_COUNT", Number(Error::kLimitFieldCount)},
    {"ERRORS.LIMIT_NAME_BYTES", Number(Error::kLimitNameBytes)},
    {"ERRORS.LIMIT_VALUE_BYTES", Number(Error::kLimitValueBytes)},
    {"ERRORS.LIMIT_HEAD_RECORDS", Number(Error::kLimitHeadRecords)},
    {"ERRORS.LIMIT_BODY_BYTES", Number(Error::kLimitBodyBytes)},
    {"ERRORS.SCGI_LENGTH", Number(Error::kScgiLength)},
    {"ERRORS.SCGI_COMMA", Number(Error::kScgiComma)},
    {"ERRORS.SCGI_HEADERS", Number(Error::kScgiHeaders)},
    {"ERRORS.SCGI_STRICT", Number(Error::kScgiStrict)},
    {"ERRORS.AJP_MAGIC", Number(Error::kAjpMagic)},
    {"ERRORS.AJP_PACKET_TYPE", Number(Error::kAjpPacketType)},
    {"ERRORS.AJP_PACKET_BYTES", Number(Error::kAjpPacketBytes)},
    {"ERRORS.AJP_FORWARD", Number(Error::kAjpForward)},
    {"ERRORS.AJP_BODY_LENGTH", Number(Error::kAjpBodyLength)},
    {"ERRORS.AJP_BODY_EXCESS", Number(Error::kAjpBodyExcess)},
};

}  // namespace postern

#endif  // POSTERN_BINDING_ABI_REPORT_H_
