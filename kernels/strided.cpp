// SPDX-License-Identifier: Apache-2.0
#include "kernels/strided.hpp"

#include <cstring>

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

void copy(const Walk& walk, const float* src, float* dst) {
  const bool gapless = walk.inner[0] == 1 && walk.inner[1] == 1;
#pragma omp parallel for schedule(static) if (walk.n_runs > 1 && walk.n_runs * walk.length > parallel_floats)
  for (Index run = 0; run < walk.n_runs; ++run) {
    const float* from = src + walk.offset(run, 0);
    float* to = dst + walk.offset(run, 1);
    if (gapless) {
      std::memcpy(to, from, static_cast<std::size_t>(walk.length) * sizeof(float));
    } else {
      for (Index i = 0; i < walk.length; ++i) to[i * walk.inner[1]] = from[i * walk.inner[0]];
    }
  }
}

void copy_view(const View& src, const View& dst) {
  if (!src.box.empty()) copy(walk_over({src, dst}), src.floats(), dst.floats());
}

}  // namespace strake::kernels
