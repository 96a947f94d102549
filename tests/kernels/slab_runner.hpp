// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Runs the kernel of one operator for one box of its output, as a rank of a cut plan would.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "core/host_tensor.hpp"
#include "core/interval_map.hpp"
#include "core/random.hpp"
#include "kernels/kernel.hpp"
#include "kernels/reference.hpp"

namespace strake::kernels::test {

using strake::test::pick;
using strake::test::Random;
using Values = std::vector<float>;

inline Values random_values(Random& random, const Shape& shape, float least = -1, float most = 1) {
  Values values(static_cast<std::size_t>(volume(shape)));
  std::uniform_real_distribution<float> uniform(least, most);
  for (float& value : values) value = uniform(random);
  return values;
}

/// A tensor of any type from floats that it can hold.
inline HostTensor tensor_of(ElementType type, const Shape& shape, const Values& values) {
  HostTensor tensor{type, shape, Blob::allocate(values.size() * size_of(type))};
  with_type(type, [&]<class T>(std::type_identity<T>) {
    std::transform(values.begin(), values.end(), reinterpret_cast<T*>(tensor.data.data()),
                   [](float value) { return static_cast<T>(value); });
  });
  return tensor;
}

inline std::vector<HostTensor> tensors_of(const Graph& graph, const std::vector<Values>& inputs) {
  std::vector<HostTensor> tensors;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Op& op = graph.op(graph.inputs[i].op);
    tensors.push_back(tensor_of(op.type, op.shape, inputs[i]));
  }
  return tensors;
}

inline Values values_of(const HostTensor& tensor) {
  return with_type(tensor.type, [&]<class T>(std::type_identity<T>) {
    const auto* cells = reinterpret_cast<const T*>(tensor.data.data());
    Values values;
    std::transform(cells, cells + volume(tensor.shape), std::back_inserter(values),
                   [](T cell) { return static_cast<float>(cell); });
    return values;
  });
}

inline WeightId add_random_weight(Graph& graph, Random& random, Shape shape) {
  const Values values = random_values(random, shape);
  return graph.add_weight("weight" + std::to_string(graph.weights.size()), std::move(shape), Blob::copy_of(values));
}

inline OpId add_op(Graph& graph, std::vector<OpId> inputs, Attributes attributes, Shape shape = {},
                   ElementType type = ElementType::f32) {
  const std::string name = "op" + std::to_string(graph.size());
  return graph.add({.name = name,
                    .inputs = std::move(inputs),
                    .shape = std::move(shape),
                    .type = type,
                    .attributes = std::move(attributes)});
}

inline OpId add_input(Graph& graph, Shape shape, ElementType type = ElementType::f32) {
  const OpId id = add_op(graph, {}, Input{}, std::move(shape), type);
  graph.inputs.push_back({.op = id, .name = graph.op(id).name, .type = type});
  return id;
}

/// How the views of a kernel lie in memory.
struct Layout {
  Index margin = 0;               // cells of the tensor around each box that the slab holds as well
  bool residual_in_place = true;  // where the margin is 0
  Family family = Family::direct;
};

/// The whole tensors that kernels of one graph read, and the weights that they share.
class SlabRunner {
 public:
  SlabRunner(const Graph& graph, const std::vector<Values>& inputs, WeightStorage storage = WeightStorage::f32)
      : SlabRunner(graph, tensors_of(graph, inputs), storage) {}
  SlabRunner(const Graph& graph, const std::vector<HostTensor>& inputs, WeightStorage storage = WeightStorage::f32)
      : graph_(graph), values_(reference_tensors(graph, inputs)), copy_(graph), weights_(copy_, storage) {}

  /// The row-major values of `dst`, part of operator `id`'s output, computed from the reference's values of its inputs.
  Values run(OpId id, const Box& dst, Exactness exactness, Layout layout = {}) {
    return values_of(run_tensor(id, dst, exactness, layout));
  }

  /// The same with elements of the operator's type.
  HostTensor run_tensor(OpId id, const Box& dst, Exactness exactness, Layout layout = {}) {
    const Op& op = graph_.op(id);
    const std::vector<Box> boxes = input_boxes(graph_, id, dst);
    std::vector<Blob> slabs;
    Blob dst_slab;
    Request request{.graph = graph_, .op = id, .src = {}, .dst = {}, .exactness = exactness, .family = layout.family};
    request.dst = allocate(dst, op.shape, op.type, layout.margin, dst_slab);
    const int residual = residual_input(op);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const OpId input = op.inputs[i];
      View view;
      if (static_cast<int>(i) == residual && layout.residual_in_place) {
        view = request.dst;
      } else {
        slabs.emplace_back();
        view = allocate(boxes[i], graph_.shape(input), graph_.op(input).type, layout.margin, slabs.back());
      }
      fill(view, input);
      request.src.push_back(view);
    }
    const std::unique_ptr<Kernel> kernel = prepare(request, weights_, workspace_);
    implementation_ = kernel->implementation();
    kernel->run();
    return row_major(request.dst.box, request.dst);
  }

  /// The reference's values of `box`.
  [[nodiscard]] Values expected(OpId id, const Box& box) { return values_of(expected_tensor(id, box)); }
  [[nodiscard]] HostTensor expected_tensor(OpId id, const Box& box) {
    return row_major(box, whole_view(values_[static_cast<std::size_t>(id)]));
  }

  /// What the last kernel said about itself.
  [[nodiscard]] const std::string& implementation() const { return implementation_; }
  [[nodiscard]] WeightStore& weights() { return weights_; }

 private:
  // A view of `box` inside a slab that holds `margin` more cells of the tensor on each side. Cells outside the box are
  // not to be read: they hold NaN.
  static View allocate(const Box& box, const Shape& shape, ElementType type, Index margin, Blob& owner) {
    Box slab = box;
    for (std::size_t axis = 0; axis < box.rank() && !box.empty(); ++axis)
      slab[axis] = intersect({box[axis].begin - margin, box[axis].end + margin}, {0, shape[axis]});
    owner = Blob::allocate(std::max<std::size_t>(dense_bytes(slab, type), 4));
    std::memset(owner.data(), 0xFF, owner.size_bytes());
    const View all = dense_view(slab, type, owner.data());
    return box.empty() ? all : all.window(box);
  }

  static View whole_view(HostTensor& tensor) {
    return row_major_view(whole(tensor.shape), tensor.type, tensor.data.data());
  }

  void fill(const View& view, OpId input) {
    if (!view.box.empty()) copy_box(whole_view(values_[static_cast<std::size_t>(input)]), view, view.box);
  }

  static HostTensor row_major(const Box& box, const View& view) {
    HostTensor tensor{view.type, box.shape(), Blob::allocate(dense_bytes(box, view.type))};
    copy_box(view, row_major_view(box, view.type, tensor.data.data()), box);
    return tensor;
  }

  const Graph& graph_;
  std::vector<HostTensor> values_;
  Graph copy_;  // whose weights move into the store
  WeightStore weights_;
  Workspace workspace_;
  std::string implementation_;
};

/// The cells of `box` out of row-major values of `outer`.
inline Values part_of(const Values& values, const Box& outer, const Box& box) {
  Values from = values;
  Values part(static_cast<std::size_t>(box.volume()));
  copy_box(row_major_view(outer, ElementType::f32, reinterpret_cast<std::byte*>(from.data())),
           row_major_view(box, ElementType::f32, reinterpret_cast<std::byte*>(part.data())), box);
  return part;
}

/// Number of cells whose bits differ.
inline std::size_t differing_bits(const Values& a, const Values& b) {
  std::size_t n = a.size() == b.size() ? 0 : a.size() + b.size();
  for (std::size_t i = 0; n == 0 && i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return 1 + i;
  return n;
}

/// Each value within `tolerance`, relative above 1 and absolute below.
inline void expect_close(const Values& actual, const Values& expected, float tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const float limit = tolerance * std::max(1.0F, std::abs(expected[i]));
    ASSERT_TRUE(std::abs(actual[i] - expected[i]) <= limit)
        << "cell " << i << ": " << actual[i] << " != " << expected[i];
  }
}

}  // namespace strake::kernels::test
