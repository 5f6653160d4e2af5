// The numbers of AJP 1.3 that a decoder needs: magic, packet types, attribute codes.
// It holds no behaviour and no names. Apache JServ Protocol 1.3, ajpv13a and ajpv13ext.
// Twin: src/protocols/ajp/constants.ts.
#ifndef POSTERN_CORE_AJP_CONSTANTS_H_
#define POSTERN_CORE_AJP_CONSTANTS_H_

#include <cstdint>

namespace postern::ajp {

// First two bytes of every packet from the web server: 0x1234.
constexpr uint32_t kMagicHigh = 0x12;
constexpr uint32_t kMagicLow = 0x34;
// Bytes in front of the payload: magic and payload length.
constexpr uint32_t kHeaderBytes = 4;
// Length of a null string: nothing follows, not even the NUL.
constexpr uint32_t kNullString = 0xffff;
// First byte of a coded header name, where a string would have its length.
constexpr uint32_t kCodedName = 0xa0;
// Method byte that says "the word stands in attribute STORED_METHOD".
constexpr uint32_t kMethodStored = 255;
// Largest method code that is a method.
constexpr uint32_t kMethodMax = 27;

// First payload byte of packets that begin something.
struct PacketType {
  static constexpr uint32_t kForwardRequest = 0x02;
  static constexpr uint32_t kCping = 0x0a;
};

// Codes of the attributes that the decoder looks at more closely.
struct AttributeCode {
  static constexpr uint32_t kReqAttribute = 0x0a;
  static constexpr uint32_t kSslKeySize = 0x0b;
  static constexpr uint32_t kSecret = 0x0c;
  static constexpr uint32_t kStoredMethod = 0x0d;
  static constexpr uint32_t kAreDone = 0xff;
};

}  // namespace postern::ajp

#endif  // POSTERN_CORE_AJP_CONSTANTS_H_
