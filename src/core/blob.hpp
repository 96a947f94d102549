// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A shared, untyped block of memory: weights on their way from a file to a kernel.

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "core/errors.hpp"

namespace strake {

/// There is no memory of this size.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t n_bytes) {
    const std::string text = "out of memory: " + std::to_string(n_bytes >> 20) + " MB more were asked for";
    (void)text.copy(text_, sizeof(text_) - 1);
  }
  [[nodiscard]] const char* what() const noexcept override { return text_; }

 private:
  char text_[80] = {};
};

/// Copying shares the memory; the last owner frees it. Aligned for any element type.
class Blob {
 public:
  Blob() = default;

  /// Uninitialised memory of `n_bytes`, aligned to 64 bytes. @throws OutOfMemory
  static Blob allocate(std::size_t n_bytes) {
    constexpr std::align_val_t alignment{64};
    auto* data = static_cast<std::byte*>(::operator new(n_bytes == 0 ? 1 : n_bytes, alignment, std::nothrow));
    if (data == nullptr) throw OutOfMemory(n_bytes);
    std::shared_ptr<std::byte> owner(data, [](std::byte* p) { ::operator delete (p, std::align_val_t{64}); });
    return Blob(std::move(owner), n_bytes);
  }

  /// Takes the bytes of a string over without copying them.
  static Blob adopt(std::string&& bytes) {
    auto owner = std::make_shared<std::string>(std::move(bytes));
    const std::size_t n_bytes = owner->size();
    auto* data = reinterpret_cast<std::byte*>(owner->data());
    return Blob(std::shared_ptr<std::byte>(std::move(owner), data), n_bytes);
  }

  /// Memory that somebody else allocated and `owner` frees.
  static Blob adopt(std::shared_ptr<std::byte> owner, std::size_t n_bytes) { return Blob(std::move(owner), n_bytes); }

  static Blob copy_of(std::span<const float> values) {
    Blob blob = allocate(values.size_bytes());
    if (!values.empty()) std::memcpy(blob.data(), values.data(), values.size_bytes());
    return blob;
  }

  [[nodiscard]] bool empty() const { return data_ == nullptr; }
  [[nodiscard]] std::size_t size_bytes() const { return n_bytes_; }
  [[nodiscard]] std::byte* data() { return data_.get(); }
  [[nodiscard]] const std::byte* data() const { return data_.get(); }
  [[nodiscard]] std::span<float> floats() { return {reinterpret_cast<float*>(data_.get()), n_bytes_ / sizeof(float)}; }
  [[nodiscard]] std::span<const float> floats() const {
    return {reinterpret_cast<const float*>(data_.get()), n_bytes_ / sizeof(float)};
  }
  /// True when nobody else shares the memory, so that it may be changed in place.
  [[nodiscard]] bool unique() const { return data_.use_count() == 1; }
  void reset() {
    data_.reset();
    n_bytes_ = 0;
  }

 private:
  Blob(std::shared_ptr<std::byte> data, std::size_t n_bytes) : data_(std::move(data)), n_bytes_(n_bytes) {}

  std::shared_ptr<std::byte> data_;
  std::size_t n_bytes_ = 0;
};

}  // namespace strake
