// SPDX-License-Identifier: Apache-2.0
// Operators whose outputs are as large as what they find.

#include <algorithm>
#include <numeric>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

// How many: an attribute before opset 10.
Index wanted_count(const Call& call, Index size) {
  Index k = call.node().integer("k", -1);
  if (call.node().opset() >= 10) {
    (void)call.scalar(1);
    k = call.integers(1).front();
  }
  if (k < 0 || k > size) throw call.error("k is " + std::to_string(k) + ", there are " + std::to_string(size));
  return k;
}

// Equal elements in the order of their indices; NaNs are the largest.
Tensors top_k(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::size_t axis = call.axis(-1, x.shape.size());
  const Around sizes = around(x.shape, axis);
  const Index k = wanted_count(call, sizes.size);
  const bool largest = call.node().integer("largest", 1) != 0;
  Shape shape = x.shape;
  shape[axis] = k;
  HostTensor values = call.make(x.type, shape);
  HostTensor indices = call.make(ElementType::i64, shape);
  call.work(static_cast<double>(x.size()));
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    std::vector<Index> order(static_cast<std::size_t>(sizes.size));
    for (Index outer = 0; outer < sizes.outer; ++outer)
      for (Index inner = 0; inner < sizes.inner; ++inner) {
        const T* line = x.view<T>().data() + outer * sizes.size * sizes.inner + inner;
        std::iota(order.begin(), order.end(), Index{0});
        std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](Index i, Index j) {
          const auto a = static_cast<Wide<T>>(line[i * sizes.inner]);
          const auto b = static_cast<Wide<T>>(line[j * sizes.inner]);
          if (comes_before(a, b) || comes_before(b, a)) return largest ? comes_before(b, a) : comes_before(a, b);
          return i < j;
        });
        for (Index i = 0; i < k; ++i) {
          const auto place = static_cast<std::size_t>((outer * k + i) * sizes.inner + inner);
          values.view<T>()[place] = line[order[static_cast<std::size_t>(i)] * sizes.inner];
          indices.view<std::int64_t>()[place] = order[static_cast<std::size_t>(i)];
        }
      }
  });
  return {values, indices};
}

// Coordinates of what is not 0, (axes, found).
Tensors non_zero(const Call& call) {
  const HostTensor& x = call.input(0);
  std::vector<Index> found;
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    const auto values = x.view<T>();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (number_cast<bool>(values[i])) found.push_back(static_cast<Index>(i));
  });
  const auto rank = static_cast<Index>(x.shape.size());
  const auto n = static_cast<Index>(found.size());
  HostTensor y = call.make(ElementType::i64, {rank, n});
  for (Index i = 0; i < n; ++i) {
    Index place = found[static_cast<std::size_t>(i)];
    for (Index axis = rank; axis-- > 0;) {
      const Index size = x.shape[static_cast<std::size_t>(axis)];
      y.view<std::int64_t>()[static_cast<std::size_t>(axis * n + i)] = place % size;
      place /= size;
    }
  }
  return {y};
}

// ---- Unique -------------------------------------------------------------------------------------------------------

/// Slices along an axis, in an order of their elements.
template <class T>
class Slices {
 public:
  Slices(const HostTensor& x, const Around& sizes) : data_(x.view<T>().data()), sizes_(sizes) {}

  // -1, 0 or 1 as slice i comes before, is equal to or comes behind slice j.
  [[nodiscard]] int compare(Index i, Index j) const {
    for (Index outer = 0; outer < sizes_.outer; ++outer)
      for (Index inner = 0; inner < sizes_.inner; ++inner) {
        const auto a = static_cast<Wide<T>>(data_[(outer * sizes_.size + i) * sizes_.inner + inner]);
        const auto b = static_cast<Wide<T>>(data_[(outer * sizes_.size + j) * sizes_.inner + inner]);
        if (comes_before(a, b)) return -1;
        if (comes_before(b, a)) return 1;
      }
    return 0;
  }

 private:
  const T* data_;
  Around sizes_;
};

struct Groups {
  std::vector<std::int64_t> first;    // slice where each group appears first
  std::vector<std::int64_t> group;    // of each slice
  std::vector<std::int64_t> members;  // of each group
};

template <class T>
Groups groups_of(const Slices<T>& slices, Index n, bool sorted) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index i, Index j) { return slices.compare(i, j) < 0; });
  Groups groups;
  groups.group.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || slices.compare(order[i - 1], order[i]) != 0) {
      groups.first.push_back(order[i]);
      groups.members.push_back(0);
    }
    groups.group[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(groups.first.size()) - 1;
    ++groups.members.back();
  }
  if (sorted) return groups;
  // In the order in which they appear.
  std::vector<std::size_t> by_first(groups.first.size());
  std::iota(by_first.begin(), by_first.end(), std::size_t{0});
  std::sort(by_first.begin(), by_first.end(),
            [&](std::size_t a, std::size_t b) { return groups.first[a] < groups.first[b]; });
  Groups appeared{.first = {}, .group = groups.group, .members = {}};
  std::vector<std::int64_t> number(by_first.size());
  for (std::size_t i = 0; i < by_first.size(); ++i) {
    appeared.first.push_back(groups.first[by_first[i]]);
    appeared.members.push_back(groups.members[by_first[i]]);
    number[by_first[i]] = static_cast<std::int64_t>(i);
  }
  for (std::int64_t& one : appeared.group) one = number[static_cast<std::size_t>(one)];
  return appeared;
}

Tensors unique(const Call& call) {
  HostTensor x = call.input(0);
  if (call.node().attribute("axis") == nullptr) x.shape = {x.size()};
  const std::size_t axis = call.axis(0, x.shape.size());
  const Around sizes = around(x.shape, axis);
  const bool sorted = call.node().integer("sorted", 1) != 0;
  call.work(static_cast<double>(x.size()));
  HostTensor y;
  const Groups groups = with_number(x.type, [&]<class T>(std::type_identity<T>) {
    Groups found = groups_of(Slices<T>(x, sizes), sizes.size, sorted);
    Shape shape = x.shape;
    shape[axis] = static_cast<Index>(found.first.size());
    y = call.make(x.type, shape);
    T* to = y.view<T>().data();
    for (Index outer = 0; outer < sizes.outer; ++outer)
      for (const std::int64_t first : found.first)
        to = std::copy_n(x.view<T>().data() + (outer * sizes.size + first) * sizes.inner, sizes.inner, to);
    return found;
  });
  const auto numbers = [](const std::vector<std::int64_t>& list) {
    return HostTensor::of(Shape{static_cast<Index>(list.size())}, list);
  };
  return {y, numbers(groups.first), numbers(groups.group), numbers(groups.members)};
}

// ---- NonMaxSuppression --------------------------------------------------------------------------------------------

struct Corners {
  float y1, x1, y2, x2;
};

Corners corners_of(const float* box, bool center) {
  if (center)  // x, y, width, height
    return {box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2, box[0] + box[2] / 2};
  return {std::min(box[0], box[2]), std::min(box[1], box[3]), std::max(box[0], box[2]), std::max(box[1], box[3])};
}

bool overlap_more(const Corners& a, const Corners& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(height > 0 && width > 0)) return false;
  const float common = height * width;
  const float both = (a.y2 - a.y1) * (a.x2 - a.x1) + (b.y2 - b.y1) * (b.x2 - b.x1) - common;
  return both > 0 && common / both > threshold;
}

Tensors non_max_suppression(const Call& call) {
  const HostTensor& boxes = call.input(0);
  const HostTensor& scores = call.input(1);
  call.expect_type(0, ElementType::f32);
  call.expect_type(1, ElementType::f32);
  if (boxes.shape.size() != 3 || scores.shape.size() != 3 || boxes.shape[2] != 4 || boxes.shape[0] != scores.shape[0] ||
      boxes.shape[1] != scores.shape[2])
    throw call.error("boxes " + to_string(boxes.shape) + " and scores " + to_string(scores.shape) +
                     " do not fit, expected (n, boxes, 4) and (n, classes, boxes)");
  const Index n = boxes.shape[1];
  const Index n_classes = scores.shape[1];
  const double most = call.has(2) ? number_at(call.scalar(2), 0) : 0;
  const auto threshold = static_cast<float>(call.has(3) ? number_at(call.scalar(3), 0) : 0);
  const bool has_least = call.has(4);
  const auto least = static_cast<float>(has_least ? number_at(call.scalar(4), 0) : 0);
  const bool center = call.node().integer("center_point_box", 0) != 0;
  std::vector<std::int64_t> found;
  for (Index batch = 0; batch < boxes.shape[0]; ++batch)
    for (Index one_class = 0; one_class < n_classes; ++one_class) {
      const float* score = scores.view<float>().data() + (batch * n_classes + one_class) * n;
      std::vector<Index> order;
      call.work(static_cast<double>(n));
      for (Index i = 0; i < n; ++i)
        if (!has_least || score[i] > least) order.push_back(i);
      std::stable_sort(order.begin(), order.end(), [&](Index i, Index j) { return comes_before(score[j], score[i]); });
      std::vector<Corners> chosen;
      for (const Index i : order) {
        if (static_cast<double>(chosen.size()) >= most) break;
        call.work(static_cast<double>(chosen.size()));
        const Corners box = corners_of(boxes.view<float>().data() + (batch * n + i) * 4, center);
        if (std::any_of(chosen.begin(), chosen.end(),
                        [&](const Corners& other) { return overlap_more(box, other, threshold); }))
          continue;
        chosen.push_back(box);
        found.insert(found.end(), {batch, one_class, i});
      }
    }
  return {HostTensor::of(Shape{static_cast<Index>(found.size()) / 3, 3}, found)};
}

}  // namespace

const Evaluations& search_evaluations() {
  static const Evaluations table = {
      {"NonMaxSuppression", non_max_suppression}, {"NonZero", non_zero}, {"TopK", top_k}, {"Unique", unique}};
  return table;
}

}  // namespace strake::onnx_import
