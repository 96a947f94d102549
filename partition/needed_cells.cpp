// SPDX-License-Identifier: Apache-2.0
#include "partition/needed_cells.hpp"

#include <algorithm>

#include "core/box.hpp"
#include "core/interval_map.hpp"

namespace strake::partition {

namespace {

// Operators whose output has the cells of their input, each once, in another order.
bool moves_cells(const Op& op) {
  return as<Reshape>(op) != nullptr || as<Transpose>(op) != nullptr || as<DepthToSpace>(op) != nullptr ||
         as<SpaceToDepth>(op) != nullptr;
}

// Operators whose output depends along each axis on the same axis of their inputs only.
bool keeps_axes(const Op& op) {
  return as<Conv>(op) != nullptr || as<IntegerConv>(op) != nullptr || as<Pool>(op) != nullptr ||
         as<Elementwise>(op) != nullptr || as<ScaleShift>(op) != nullptr || as<NormalizePicture>(op) != nullptr ||
         as<Binary>(op) != nullptr;
}

Box unit(Box box, std::size_t axis, Index index) { return with_axis(std::move(box), axis, {index, index + 1}); }

// Intervals that come one after the other: the longest that they cover without a gap.
class Run {
 public:
  void add(Interval one) {
    if (one.empty()) return;
    const bool touches = !current_.empty() && one.begin <= current_.end && current_.begin <= one.end;
    current_ = touches ? hull(current_, one) : one;
    if (current_.size() > longest_.size()) longest_ = current_;
  }
  [[nodiscard]] Interval longest() const { return longest_; }

 private:
  Interval current_;
  Interval longest_;
};

// One box that lies in the union of the boxes: the largest of them, joined with what differs along one axis only.
Box large_box(const BoxList& boxes, std::size_t n_axes) {
  Box best = nothing(n_axes);
  for (Box box : boxes) {
    for (const Box& other : boxes) {
      std::size_t n_different = 0;
      bool touches = true;
      for (std::size_t axis = 0; axis < n_axes; ++axis) {
        if (box[axis] == other[axis]) continue;
        ++n_different;
        touches = touches && other[axis].begin <= box[axis].end && box[axis].begin <= other[axis].end;
      }
      if (n_different == 1 && touches && !other.empty()) box = hull(box, other);
    }
    if (box.volume() > best.volume()) best = box;
  }
  return best;
}

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), readers_(consumers(graph)) {
    for (OpId id = 0; id < graph.size(); ++id) dependent_.push_back(dependent(id));
    needed_.resize(graph.ops.size());
    for (OpId id = graph.size() - 1; id >= 0; --id) needed_[at(id)] = needed(id);
  }

  NeededCells run() const {
    NeededCells cells;
    for (OpId id = 0; id < graph_.size(); ++id) {
      const Box both = intersect(dependent_[at(id)], needed_[at(id)]);
      const bool counts = both.rank() > 0 && as<Constant>(graph_.op(id)) == nullptr;
      cells.share.push_back(counts ? static_cast<double>(both.volume()) / static_cast<double>(volume(graph_.shape(id)))
                                   : 0);
    }
    for (OpId src = 0; src < graph_.size(); ++src)
      for (const OpId reader : readers_[at(src)])
        if (cells.share[at(src)] == 1 && cells.share[at(reader)] == 1 && is_even(src, reader))
          cells.edges.push_back({src, reader});
    return cells;
  }

 private:
  static std::size_t at(OpId id) { return static_cast<std::size_t>(id); }

  [[nodiscard]] bool is_cut(OpId id, std::size_t axis) const { return can_cut(graph_, id, axis); }

  // Cells that change with the inputs, whoever computes them: a box of them.
  [[nodiscard]] Box dependent(OpId id) const {
    const Op& op = graph_.op(id);
    const Box all = whole(op.shape);
    if (as<Input>(op) != nullptr) return all;
    BoxList boxes;
    for (std::size_t input = 0; input < op.inputs.size(); ++input) boxes.push_back(dependent_through(id, input));
    return large_box(boxes, all.rank());
  }

  [[nodiscard]] Box dependent_through(OpId id, std::size_t input) const {
    const OpId src = graph_.op(id).inputs[input];
    const Box& from = dependent_[at(src)];
    const Box all = whole(graph_.shape(id));
    // A box without axes is never empty: what goes through a single number counts for nothing.
    if (from.empty() || from.rank() == 0) return nothing(all.rank());
    if (moves_cells(graph_.op(id))) return from == whole(graph_.shape(src)) ? all : nothing(all.rank());
    const auto depends = [&](const Box& box) { return !intersect(input_boxes(graph_, id, box)[input], from).empty(); };
    if (!depends(all)) return nothing(all.rank());
    Box box = all;
    for (std::size_t axis = 0; axis < all.rank(); ++axis) {
      if (!is_cut(id, axis)) continue;
      Run run;
      for (Index index = 0; index < all[axis].end; ++index)
        if (depends(unit(all, axis, index))) run.add({index, index + 1});
      box[axis] = run.longest();
    }
    return box;
  }

  // Cells that some rank must produce for those that read them: a box of them.
  [[nodiscard]] Box needed(OpId id) const {
    const Box all = whole(graph_.shape(id));
    BoxList boxes;
    for (const Port& port : graph_.outputs)
      if (port.op == id) return all;
    for (const OpId reader : readers_[at(id)]) {
      if (graph_.shape(reader).empty()) continue;
      const std::vector<OpId>& inputs = graph_.op(reader).inputs;
      for (std::size_t input = 0; input < inputs.size(); ++input)
        if (inputs[input] == id && !needed_[at(reader)].empty()) boxes.push_back(read_through(reader, input));
    }
    return large_box(boxes, all.rank());
  }

  // What is read at least for the needed cells of `id`, be they computed one by one.
  [[nodiscard]] Box read_through(OpId id, std::size_t input) const {
    const Box& dst = needed_[at(id)];
    const Shape& src = graph_.shape(graph_.op(id).inputs[input]);
    if (moves_cells(graph_.op(id)) && dst == whole(graph_.shape(id))) return whole(src);
    const Box middle = middle_cell(id, input, dst);
    Box read = input_boxes(graph_, id, middle)[input];
    if (read.empty()) return nothing(src.size());
    if (moves_cells(graph_.op(id))) return read;
    for (std::size_t axis = 0; axis < dst.rank(); ++axis) {
      if (!is_cut(id, axis)) continue;
      std::vector<Run> runs(src.size());
      for (Index index = dst[axis].begin; index < dst[axis].end; ++index) {
        const Box one = input_boxes(graph_, id, unit(middle, axis, index))[input];
        if (one.empty()) continue;
        for (std::size_t i = 0; i < runs.size(); ++i) runs[i].add(one[i]);
      }
      for (std::size_t i = 0; i < runs.size(); ++i)
        if (runs[i].longest().size() > read[i].size()) read[i] = runs[i].longest();
    }
    return read;
  }

  // A cell of `dst` that reads something of this input if any does: in the middle of those that do along each axis, as
  // few cells as a kernel may compute at once.
  [[nodiscard]] Box middle_cell(OpId id, std::size_t input, const Box& dst) const {
    Box middle = whole(graph_.shape(id));
    for (std::size_t axis = 0; axis < dst.rank(); ++axis) {
      if (!is_cut(id, axis)) continue;
      Run run;
      for (Index index = dst[axis].begin; index < dst[axis].end; ++index)
        if (!input_boxes(graph_, id, unit(dst, axis, index))[input].empty()) run.add({index, index + 1});
      const Interval reading = run.longest().empty() ? dst[axis] : run.longest();
      const Index index = reading.begin + reading.size() / 2;
      middle[axis] = {index, index + 1};
    }
    return middle;
  }

  // True where cells of the reader can be assigned cells of the source that they read, each the same part of the whole:
  // then no set of cells reads less than its part.
  [[nodiscard]] bool is_even(OpId src, OpId reader) const {
    const Op& op = graph_.op(reader);
    if (moves_cells(op)) return true;
    if (!keeps_axes(op) || op.shape.size() != graph_.shape(src).size()) return false;
    for (std::size_t input = 0; input < op.inputs.size(); ++input) {
      if (op.inputs[input] != src) continue;
      bool even = true;
      for (std::size_t axis = 0; axis < op.shape.size(); ++axis) even = even && is_even(reader, input, axis);
      if (even) return true;
    }
    return false;
  }

  // Along one axis, from the first cell on: each takes its part of what is left of what it reads.
  [[nodiscard]] bool is_even(OpId id, std::size_t input, std::size_t axis) const {
    const Box all = whole(graph_.shape(id));
    const Index n_dst = all[axis].end;
    const Index n_src = graph_.shape(graph_.op(id).inputs[input])[axis];
    const bool cut = is_cut(id, axis);
    Interval read = input_boxes(graph_, id, all)[input][axis];
    Index taken = 0;  // in cells of the source, times `n_dst`
    for (Index index = 0; index < n_dst; ++index) {
      if (cut) read = input_boxes(graph_, id, unit(all, axis, index))[input][axis];
      if (read.empty() || taken < read.begin * n_dst || taken + n_src > read.end * n_dst) return false;
      taken += n_src;
    }
    return true;
  }

  const Graph& graph_;
  std::vector<std::vector<OpId>> readers_;
  std::vector<Box> dependent_;  // [op]
  std::vector<Box> needed_;     // [op]
};

}  // namespace

NeededCells needed_cells(const Graph& graph) { return Finder(graph).run(); }

}  // namespace strake::partition
