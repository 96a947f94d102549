// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One owner for the handles of C libraries.

#include <utility>

namespace strake {

/// Owns a handle described by `Traits`: `Handle`, `null()` and `destroy(Handle)`, both noexcept.
template <class Traits>
class UniqueHandle {
 public:
  using Handle = typename Traits::Handle;

  UniqueHandle() noexcept = default;
  explicit UniqueHandle(Handle handle) noexcept : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(std::exchange(other.handle_, Traits::null())) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, Traits::null());
    }
    return *this;
  }
  UniqueHandle(const UniqueHandle&) = delete;
  UniqueHandle& operator=(const UniqueHandle&) = delete;
  ~UniqueHandle() { reset(); }

  [[nodiscard]] Handle get() const noexcept { return handle_; }
  /// For C functions that write a handle; frees the present one.
  [[nodiscard]] Handle* out() noexcept {
    reset();
    return &handle_;
  }
  void reset() noexcept {
    if (handle_ != Traits::null()) Traits::destroy(std::exchange(handle_, Traits::null()));
  }
  explicit operator bool() const noexcept { return handle_ != Traits::null(); }

 private:
  Handle handle_ = Traits::null();
};

}  // namespace strake
