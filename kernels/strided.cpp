// SPDX-License-Identifier: Apache-2.0
#include "kernels/strided.hpp"

#include <cstring>

#include "kernels/copy_clock.hpp"
#include "kernels/pieces.hpp"

namespace strake::kernels {

Index Walk::offset(Index run, std::size_t view) const {
  Index offset = 0;
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    offset += run % sizes[axis] * strides[view][axis];
    run /= sizes[axis];
  }
  return offset;
}

Walk make_walk(std::vector<Index> sizes, std::vector<std::vector<Index>> strides) {
  // Axes of size 1 say nothing.
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    if (sizes[axis] != 1) continue;
    sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(axis));
    for (auto& view : strides) view.erase(view.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  Walk walk;
  walk.inner.assign(strides.size(), 1);
  if (sizes.empty()) {
    walk.strides.resize(strides.size());
    return walk;
  }
  walk.length = sizes.back();
  for (std::size_t view = 0; view < strides.size(); ++view) walk.inner[view] = strides[view].back();
  std::size_t n_outer = sizes.size() - 1;
  const auto continues = [&](std::size_t axis) {
    for (std::size_t view = 0; view < strides.size(); ++view)
      if (strides[view][axis] != walk.inner[view] * walk.length) return false;
    return true;
  };
  while (n_outer > 0 && continues(n_outer - 1)) walk.length *= sizes[--n_outer];
  walk.sizes.assign(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(n_outer));
  for (auto& view : strides)
    walk.strides.emplace_back(view.begin(), view.begin() + static_cast<std::ptrdiff_t>(n_outer));
  walk.n_runs = volume(walk.sizes);
  return walk;
}

Walk walk_over(const std::vector<View>& views) {
  const std::vector<std::size_t> order = canonical_order(views.front().box.rank());
  std::vector<Index> sizes;
  std::vector<std::vector<Index>> strides(views.size());
  for (const std::size_t axis : order) {
    sizes.push_back(views.front().box[axis].size());
    for (std::size_t view = 0; view < views.size(); ++view) strides[view].push_back(views[view].strides[axis]);
  }
  return make_walk(std::move(sizes), std::move(strides));
}

Walk broadcast_walk(const View& dst, const std::vector<View>& operands) {
  std::vector<Index> sizes;
  std::vector<std::vector<Index>> strides(1 + operands.size());
  for (const std::size_t axis : canonical_order(dst.box.rank())) {
    sizes.push_back(dst.box[axis].size());
    strides[0].push_back(dst.strides[axis]);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const View& view = operands[i];
      const std::size_t missing = dst.box.rank() - view.box.rank();
      const bool repeats = axis < missing || (view.box[axis - missing].size() == 1 && dst.box[axis].size() != 1);
      strides[1 + i].push_back(repeats ? 0 : view.strides[axis - missing]);
    }
  }
  return make_walk(std::move(sizes), std::move(strides));
}

namespace {

template <class T>
void copy_elements(const Walk& walk, const T* src, T* dst) {
  const bool gapless = walk.inner[0] == 1 && walk.inner[1] == 1;
  for_each_piece<2>(walk, [&](const std::array<Index, 2>& at, Index n) {
    const T* from = src + at[0];
    T* to = dst + at[1];
    if (gapless) {
      std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
    } else {
      for (Index i = 0; i < n; ++i) to[i * walk.inner[1]] = from[i * walk.inner[0]];
    }
  });
}

}  // namespace

void copy(const Walk& walk, const float* src, float* dst) {
  const CopyScope scope;
  copy_elements(walk, src, dst);
}

void copy(const Walk& walk, ElementType type, const std::byte* src, std::byte* dst) {
  const CopyScope scope;
  with_type(type, [&]<class T>(std::type_identity<T>) {
    copy_elements(walk, reinterpret_cast<const T*>(src), reinterpret_cast<T*>(dst));
  });
}

void copy_view(const View& src, const View& dst) {
  if (!src.box.empty()) copy(walk_over({src, dst}), src.type, src.data, dst.data);
}

}  // namespace strake::kernels
