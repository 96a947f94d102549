// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The memory of a view, run by run.

#include <cstddef>
#include <vector>

#include "core/view.hpp"

namespace strake::comm {

/// Calls visit(memory, bytes) for each gapless run of cells of a view without channel blocks, in canonical order.
template <class Visit>
void for_each_run(const View& view, Visit visit) {
  const auto element = static_cast<Index>(size_of(view.type));
  std::vector<std::size_t> outer = canonical_order(view.box.rank());
  Index run = 1;
  while (!outer.empty() && (view.strides[outer.back()] == run || view.box[outer.back()].size() == 1)) {
    run *= view.box[outer.back()].size();
    outer.pop_back();
  }
  std::vector<Index> at(outer.size(), 0);
  std::byte* data = view.data;
  while (true) {
    visit(data, static_cast<std::size_t>(run * element));
    std::size_t i = outer.size();
    for (; i > 0; --i) {
      const std::size_t axis = outer[i - 1];
      const Index step = view.strides[axis] * element;
      data += step;
      if (++at[i - 1] < view.box[axis].size()) break;
      data -= step * at[i - 1];
      at[i - 1] = 0;
    }
    if (i == 0) return;
  }
}

}  // namespace strake::comm
