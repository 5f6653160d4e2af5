// The numbers that cross the seam between a decoder and TypeScript: row kinds, widths, details,
// errors. They hold no behaviour. What each number means is said where it is said once: in the
// twin. Twin: src/wire/abi.ts, src/wire/limits.ts and src/errors.ts; engine/native.ts compares all
// at load.
#ifndef POSTERN_CORE_ABI_H_
#define POSTERN_CORE_ABI_H_

#include <cstdint>

namespace postern {

constexpr uint32_t kEventWidth = 6;
constexpr uint32_t kFieldWidth = 4;
constexpr uint32_t kEventRows = 1024;
constexpr uint32_t kFieldRowsExtra = 32;
constexpr uint32_t kStateCells = 4;
constexpr uint32_t kDecoderOptions = 10;

struct EventColumn {
  static constexpr uint32_t kKind = 0;
  static constexpr uint32_t kConnection = 1;
  static constexpr uint32_t kExchangeId = 2;
  static constexpr uint32_t kStart = 3;
  static constexpr uint32_t kLength = 4;
  static constexpr uint32_t kDetail = 5;
};

struct RowKind {
  static constexpr int32_t kBegin = 1;
  static constexpr int32_t kHead = 2;
  static constexpr int32_t kBody = 3;
  static constexpr int32_t kBodyEnd = 4;
  static constexpr int32_t kData = 5;
  static constexpr int32_t kDataEnd = 6;
  static constexpr int32_t kAbort = 7;
  static constexpr int32_t kControl = 8;
  static constexpr int32_t kError = 9;
};

// Rows of the native transport, beside those of its connections' decoders.
struct TransportRow {
  static constexpr int32_t kOpen = 20;
  static constexpr int32_t kSpeaks = 21;
  static constexpr int32_t kEnded = 22;
  static constexpr int32_t kDrained = 23;
  static constexpr int32_t kGone = 24;
  static constexpr int32_t kDropped = 25;
  static constexpr int32_t kHeld = 26;
  static constexpr int32_t kAcceptFailed = 27;
};

struct EndedDetail {
  static constexpr uint32_t kHalf = 0;
  static constexpr uint32_t kClosed = 1;
  static constexpr uint32_t kUnread = 2;
};

struct Role {
  static constexpr uint32_t kResponder = 1;
  static constexpr uint32_t kAuthorizer = 2;
  static constexpr uint32_t kFilter = 3;
};

constexpr uint32_t kKeepConnection = 256;

struct BodyKind {
  static constexpr uint32_t kNone = 0;
  static constexpr uint32_t kKnown = 1;
  static constexpr uint32_t kUnknown = 2;
};

struct BodyDetail {
  static constexpr uint32_t kLanded = 1;
  static constexpr uint32_t kPart = 2;
};

struct HeadColumn {
  static constexpr uint32_t kBytesStart = 0;
  static constexpr uint32_t kBytesLength = 1;
  static constexpr uint32_t kMetaA = 2;
  static constexpr uint32_t kMetaB = 3;
};

struct Note {
  static constexpr uint32_t kAsked = 1;
  static constexpr uint32_t kEnded = 2;
  static constexpr uint32_t kUpgraded = 3;
};

struct StateCell {
  static constexpr uint32_t kConsumed = 0;
  static constexpr uint32_t kMore = 1;
  static constexpr uint32_t kPieceWanted = 2;
};

struct DecoderOption {
  static constexpr uint32_t kHeadBytes = 0;
  static constexpr uint32_t kFieldCount = 1;
  static constexpr uint32_t kNameBytes = 2;
  static constexpr uint32_t kValueBytes = 3;
  static constexpr uint32_t kBodyBytes = 4;
  static constexpr uint32_t kHeadRecords = 5;
  static constexpr uint32_t kRequestsPerConnection = 6;
  static constexpr uint32_t kAjpPacketBytes = 7;
  static constexpr uint32_t kAjpRawBody = 8;
  static constexpr uint32_t kScgiStrict = 9;
};

struct ProtocolNumber {
  static constexpr uint32_t kFastcgi = 1;
  static constexpr uint32_t kScgi = 2;
  static constexpr uint32_t kAjp = 3;
};

constexpr uint32_t kLineColumns = 4;

struct LineColumn {
  static constexpr uint32_t kKind = 0;
  static constexpr uint32_t kCell = 1;
  static constexpr uint32_t kTextStart = 2;
  static constexpr uint32_t kTextLength = 3;
};

struct LineCell {
  static constexpr uint32_t kSecond = 0;
};

struct LineStep {
  static constexpr uint32_t kEnd = 0;
  static constexpr uint32_t kNumber = 1;
  static constexpr uint32_t kBytes = 2;
};

constexpr uint32_t kLineLiterals = 268'435'456;
constexpr uint32_t kLineAdded = 536'870'912;

// Limits that are no options (src/wire/limits.ts says why each is what it is).
constexpr uint64_t kStrayBytesMax = 1'048'576;
constexpr uint64_t kZombieBytesMax = 8'388'608;
constexpr uint32_t kZombiesMax = 128;
constexpr uint32_t kControlsMax = 100;
constexpr uint32_t kRefusalsMax = 100;
constexpr uint64_t kContentLengthMax = 9'007'199'254'740'991;

// `number` of a row in src/errors.ts.
using ErrorNumber = int32_t;

// Every error a decoder can cause. Those that only TypeScript finds are not here.
struct Error {
  static constexpr ErrorNumber kNone = 0;
  static constexpr ErrorNumber kFcgiVersion = 1;
  static constexpr ErrorNumber kFcgiBeginLength = 2;
  static constexpr ErrorNumber kFcgiRequestId = 3;
  static constexpr ErrorNumber kFcgiDuplicateBegin = 4;
  static constexpr ErrorNumber kFcgiDirection = 5;
  static constexpr ErrorNumber kFcgiParamsOrder = 6;
  static constexpr ErrorNumber kFcgiStrayBytes = 7;
  static constexpr ErrorNumber kFcgiControls = 8;
  static constexpr ErrorNumber kFcgiRefusals = 9;
  static constexpr ErrorNumber kFcgiRole = 20;
  static constexpr ErrorNumber kFcgiCantMpx = 21;
  static constexpr ErrorNumber kFcgiOverloaded = 22;
  static constexpr ErrorNumber kFcgiParams = 23;
  static constexpr ErrorNumber kContentLength = 24;
  static constexpr ErrorNumber kBodyShort = 25;
  static constexpr ErrorNumber kLimitHeadBytes = 30;
  static constexpr ErrorNumber kLimitFieldCount = 31;
  static constexpr ErrorNumber kLimitNameBytes = 32;
  static constexpr ErrorNumber kLimitValueBytes = 33;
  static constexpr ErrorNumber kLimitHeadRecords = 34;
  static constexpr ErrorNumber kLimitBodyBytes = 35;
  static constexpr ErrorNumber kScgiLength = 40;
  static constexpr ErrorNumber kScgiComma = 41;
  static constexpr ErrorNumber kScgiHeaders = 42;
  static constexpr ErrorNumber kScgiStrict = 43;
  static constexpr ErrorNumber kAjpMagic = 50;
  static constexpr ErrorNumber kAjpPacketType = 51;
  static constexpr ErrorNumber kAjpPacketBytes = 52;
  static constexpr ErrorNumber kAjpForward = 53;
  static constexpr ErrorNumber kAjpBodyLength = 54;
  static constexpr ErrorNumber kAjpBodyExcess = 55;
};

}  // namespace postern

#endif  // POSTERN_CORE_ABI_H_
