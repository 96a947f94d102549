// SPDX-License-Identifier: Apache-2.0
#include "kernels/table_copy.hpp"

#include <cstring>

#include "kernels/copy_clock.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// Offsets in elements of the indices of one axis.
struct AxisOffsets {
  std::vector<Index> src;
  std::vector<Index> dst;
};

AxisOffsets offsets_of(const View& src, const View& dst, const std::vector<Index>& table, std::size_t axis) {
  AxisOffsets offsets;
  for (std::size_t i = 0; i < table.size(); ++i) {
    offsets.src.push_back((table[i] - src.box[axis].begin) * src.strides[axis]);
    offsets.dst.push_back(static_cast<Index>(i) * dst.strides[axis]);
  }
  return offsets;
}

// True when the axis goes on, in both tensors, where a run of `length` elements ends.
bool continues(const AxisOffsets& axis, Index length) {
  for (std::size_t i = 1; i < axis.src.size(); ++i)
    if (axis.src[i] - axis.src[i - 1] != length || axis.dst[i] - axis.dst[i - 1] != length) return false;
  return true;
}

template <class T>
void copy_short_runs(const T* src, T* dst, const AxisOffsets& places, Index length) {
  for (std::size_t i = 0; i < places.src.size(); ++i)
    for (Index k = 0; k < length; ++k) dst[places.dst[i] + k] = src[places.src[i] + k];
}

class TableCopy final : public Kernel {
 public:
  TableCopy(const View& src, const View& dst, const std::vector<std::vector<Index>>& tables, std::string implementation)
      : src_(src), dst_(dst), implementation_(std::move(implementation)) {
    const std::vector<std::size_t> order = canonical_order(dst.box.rank());
    std::size_t n_axes = order.size();
    for (; n_axes > 0; --n_axes) {
      const std::size_t axis = order[n_axes - 1];
      const AxisOffsets offsets = offsets_of(src, dst, tables[axis], axis);
      if (!continues(offsets, run_)) break;
      first_src_ += offsets.src.front();
      run_ *= static_cast<Index>(offsets.src.size());
    }
    places_ = {{0}, {0}};
    if (n_axes > 0) places_ = offsets_of(src, dst, tables[order[n_axes - 1]], order[n_axes - 1]);
    for (std::size_t i = 0; i + 1 < n_axes; ++i) {
      outer_.push_back(offsets_of(src, dst, tables[order[i]], order[i]));
      n_rows_ *= static_cast<Index>(outer_.back().src.size());
    }
  }

  void run() override {
    const CopyScope scope;
    with_type(dst_.type, [this]<class T>(std::type_identity<T>) {
#pragma omp parallel for schedule(static) if (n_rows_ > 1 && dst_.box.volume() > parallel_floats)
      for (Index row = 0; row < n_rows_; ++row) copy_row<T>(row);
    });
  }

  [[nodiscard]] std::string implementation() const override { return implementation_; }

 private:
  template <class T>
  void copy_row(Index row) const {
    const T* src = reinterpret_cast<const T*>(src_.data) + first_src_;
    T* dst = reinterpret_cast<T*>(dst_.data);
    for (std::size_t axis = outer_.size(); axis-- > 0;) {
      const auto size = static_cast<Index>(outer_[axis].src.size());
      const auto at = static_cast<std::size_t>(row % size);
      src += outer_[axis].src[at];
      dst += outer_[axis].dst[at];
      row /= size;
    }
    if (run_ < 8) return copy_short_runs(src, dst, places_, run_);
    for (std::size_t i = 0; i < places_.src.size(); ++i)
      std::memcpy(dst + places_.dst[i], src + places_.src[i], static_cast<std::size_t>(run_) * sizeof(T));
  }

  View src_;
  View dst_;
  std::string implementation_;
  Index first_src_ = 0;
  Index run_ = 1;  // elements that lie together in both tensors
  AxisOffsets places_;
  std::vector<AxisOffsets> outer_;  // slowest first
  Index n_rows_ = 1;
};

}  // namespace

KernelPtr make_table_copy(const View& src, const View& dst, const std::vector<std::vector<Index>>& tables,
                          const std::string& implementation) {
  return std::make_unique<TableCopy>(src, dst, tables, implementation);
}

}  // namespace strake::kernels
