// SPDX-License-Identifier: Apache-2.0
#include "kernels/along.hpp"

namespace strake::kernels {

namespace {

// Step of `view` along axis `axis` of a tensor of `rank` axes: 0 where it is broadcast.
Index step_of(const View& view, std::size_t axis, std::size_t rank) {
  const std::size_t missing = rank - view.box.rank();
  return axis < missing || view.box[axis - missing].size() == 1 ? 0 : view.strides[axis - missing];
}

}  // namespace

Along walk_along(const std::vector<View>& views, const std::vector<int>& axes) {
  const Box& box = views.front().box;
  const std::size_t rank = box.rank();
  std::vector<Index> sizes[2];  // kept, gone along
  std::vector<std::vector<Index>> strides[2];
  for (auto& one : strides) one.resize(views.size());
  Along along;
  along.inner.assign(views.size(), 0);
  const std::vector<std::size_t> order = canonical_order(rank);
  for (const std::size_t axis : order) {
    const bool gone = std::find(axes.begin(), axes.end(), static_cast<int>(axis)) != axes.end();
    if (axis == order.back()) {
      along.across = !gone;
      along.width = box[axis].size();
      for (std::size_t view = 0; view < views.size(); ++view) along.inner[view] = step_of(views[view], axis, rank);
      continue;
    }
    sizes[gone ? 1 : 0].push_back(box[axis].size());
    for (std::size_t view = 0; view < views.size(); ++view)
      strides[gone ? 1 : 0][view].push_back(step_of(views[view], axis, rank));
  }
  along.outer = make_walk(sizes[0], strides[0]);
  along.lane = make_walk(sizes[1], strides[1]);
  return along;
}

}  // namespace strake::kernels
