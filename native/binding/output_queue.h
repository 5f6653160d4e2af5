// Bytes of responses that the kernel has not taken yet, in their order.
// Small pieces are copied; large ones stay where JavaScript has them, and a reference keeps them
// alive until they are written. It writes to a descriptor it is given and owns none.
#ifndef POSTERN_BINDING_OUTPUT_QUEUE_H_
#define POSTERN_BINDING_OUTPUT_QUEUE_H_

#include <node_api.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace postern {

class OutputQueue {
 public:
  explicit OutputQueue(napi_env env) : env_(env) {}
  ~OutputQueue() { Clear(); }
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  uint64_t bytes() const { return bytes_; }

  // Adds a copy of bytes.
  void Copy(const uint8_t* data, size_t length);

  // Adds bytes that `owner`, a value of JavaScript, holds; they must not change until written.
  void Refer(const uint8_t* data, size_t length, napi_value owner);

  // Writes as much as the kernel takes. Returns the bytes written by this call, or -errno when the
  // connection is broken; -EAGAIN is no error here.
  int64_t Flush(int fd);

  // Forgets everything. Needs a handle scope where pieces are referred to.
  void Clear();

 private:
  struct Piece {
    const uint8_t* data;
    size_t length;
    std::unique_ptr<uint8_t[]> copy;
    napi_ref owner;
  };

  size_t Gather(iovec* pieces, size_t count) const;
  void Drop(uint64_t bytes);
  void Release(Piece& piece);

  napi_env env_;
  std::vector<Piece> pieces_;
  // The first piece that is not written whole, and how much of it is.
  size_t first_ = 0;
  size_t offset_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace postern

#endif  // POSTERN_BINDING_OUTPUT_QUEUE_H_
