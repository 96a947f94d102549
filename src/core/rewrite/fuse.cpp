// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/line.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

// ---- activations that models spell out ----------------------------------------------------------------------------

namespace {

/// A function of another operator's value.
struct Applied {
  OpId x = 0;
  Activation function;
};

/// The value of an operator as one activation, where it is one.
class Spelled {
 public:
  Spelled(const Graph& graph, const std::vector<int>& uses) : graph_(graph), uses_(uses) {}

  std::optional<Applied> find(OpId id) const {
    if (const std::optional<Line> line = line_of(graph_, id)) return find_scaled(*line);
    const std::optional<std::pair<OpId, OpId>> factors = factors_of(graph_, id);
    if (!factors) return std::nullopt;
    const auto [a, b] = *factors;
    std::optional<Applied> found = find_gated(a, b);
    return found ? found : find_gated(b, a);
  }

 private:
  bool read_once(OpId id) const { return rewrite::read_once(uses_, id); }

  // scale * clip(a x + b, 0, 1 / scale) is a hard sigmoid; a clip may lie between 0 and any number.
  std::optional<Applied> hard_sigmoid(OpId clip_id, float scale) const {
    const Activation* clip = activation_of(graph_, clip_id, ActivationKind::clip);
    if (clip == nullptr || clip->alpha != 0 || !close(clip->beta * scale, 1) || !read_once(clip_id))
      return std::nullopt;
    const OpId line_id = graph_.op(clip_id).inputs.front();
    const std::optional<Line> line = line_of(graph_, line_id);
    if (!line || !read_once(line_id)) return std::nullopt;
    return Applied{line->x, {ActivationKind::hard_sigmoid, line->scale * scale, line->shift * scale}};
  }

  static bool is_gate_of_hard_swish(const Activation& hard_sigmoid) {
    return close(hard_sigmoid.alpha, 1.0F / 6.0F) && close(hard_sigmoid.beta, 0.5F);
  }

  // Of clip(x + 3, 0, 6) / 6, and of (x * clip(x + 3, 0, 6)) / 6.
  std::optional<Applied> find_scaled(const Line& line) const {
    if (line.shift != 0) return std::nullopt;
    if (std::optional<Applied> found = hard_sigmoid(line.x, line.scale)) return found;
    const std::optional<std::pair<OpId, OpId>> factors = factors_of(graph_, line.x);
    if (!factors || !read_once(line.x)) return std::nullopt;
    for (const auto& [x, gate] : {*factors, std::pair(factors->second, factors->first)}) {
      const std::optional<Applied> found = hard_sigmoid(gate, line.scale);
      if (found && found->x == x && is_gate_of_hard_swish(found->function))
        return Applied{x, {ActivationKind::hard_swish, 0, 0}};
    }
    return std::nullopt;
  }

  // True for tanh(softplus(x)).
  bool is_gate_of_mish(OpId gate, OpId x) const {
    if (activation_of(graph_, gate, ActivationKind::tanh) == nullptr || !read_once(gate)) return false;
    const OpId inner = graph_.op(gate).inputs.front();
    return activation_of(graph_, inner, ActivationKind::softplus) != nullptr && read_once(inner) &&
           graph_.op(inner).inputs.front() == x;
  }

  // Of x * sigmoid(x), x * hard_sigmoid(x) and x * tanh(softplus(x)).
  std::optional<Applied> find_gated(OpId x, OpId gate) const {
    if (is_gate_of_mish(gate, x)) return Applied{x, {ActivationKind::mish, 0, 0}};
    if (!read_once(gate) || graph_.op(gate).inputs.size() != 1 || graph_.op(gate).inputs.front() != x)
      return std::nullopt;
    if (activation_of(graph_, gate, ActivationKind::sigmoid) != nullptr)
      return Applied{x, {ActivationKind::swish, 1, 0}};
    const Activation* hard = activation_of(graph_, gate, ActivationKind::hard_sigmoid);
    if (hard == nullptr || !is_gate_of_hard_swish(*hard)) return std::nullopt;
    return Applied{x, {ActivationKind::hard_swish, 0, 0}};
  }

  const Graph& graph_;
  const std::vector<int>& uses_;
};

}  // namespace

bool find_activations(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    const std::optional<Applied> found = Spelled(graph, uses).find(id);
    if (!found) return false;
    graph.op(id).inputs = {found->x};
    graph.op(id).attributes = Elementwise{.function = found->function};
    return true;
  });
}

// ---- post-ops -----------------------------------------------------------------------------------------------------

namespace {

bool ends_with_activation(const std::vector<PostOp>& list) {
  return !list.empty() && std::holds_alternative<Activation>(list.back());
}

// Kernel libraries have no fast convolution with these behind it, and a slow one costs more than a step of its own.
bool is_rare(ActivationKind kind) {
  constexpr std::array rare = {ActivationKind::softplus,   ActivationKind::log,   ActivationKind::neg,
                               ActivationKind::reciprocal, ActivationKind::floor, ActivationKind::ceil};
  return kind > ActivationKind::linear || std::find(rare.begin(), rare.end(), kind) != rare.end();
}

bool is_rare_post_op(const PostOp& post_op) {
  const auto* function = std::get_if<Activation>(&post_op);
  return function != nullptr && is_rare(function->kind);
}

// True when the operator at `id` can take the residual of an addition in. Not behind an activation: of oneDNN's
// convolutions only `brgconv` (AVX-512) and the reference can, and 3x3 convolutions under `--exact` may not use it.
bool takes_residual(const Graph& graph, OpId id, const std::vector<int>& uses) {
  const auto* conv = as<Conv>(graph.op(id));
  return conv != nullptr && conv->post_ops.empty() && read_once(uses, id);
}

bool adds_two_maps(const Graph& graph, const Op& op) {
  const auto* binary = as<Binary>(op);
  if (binary == nullptr || binary->kind != BinaryKind::add || op.shape.size() != 4) return false;
  return std::all_of(op.inputs.begin(), op.inputs.end(), [&](OpId input) {
    return graph.shape(input) == op.shape && as<Constant>(graph.op(input)) == nullptr;
  });
}

}  // namespace

bool fuse_activations(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    const auto* elementwise = as<Elementwise>(graph.op(id));
    if (elementwise == nullptr) return false;
    const Activation function = elementwise->function;
    const OpId source = graph.op(id).inputs.front();
    const std::vector<PostOp>* before = post_ops(graph.op(source));
    if (before == nullptr || ends_with_activation(*before) || !read_once(uses, source)) return false;
    if (as<Conv>(graph.op(source)) != nullptr && is_rare(function.kind)) return false;
    take_over(graph, source, id);
    post_ops(graph.op(id))->push_back(function);
    return true;
  });
}

bool fuse_residuals(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    if (!adds_two_maps(graph, graph.op(id))) return false;
    const auto [earlier, later] = std::minmax({graph.op(id).inputs[0], graph.op(id).inputs[1]});
    const bool later_takes = takes_residual(graph, later, uses);
    if (!later_takes && !takes_residual(graph, earlier, uses)) return false;
    const OpId conv = later_takes ? later : earlier;
    const OpId residual = later_takes ? earlier : later;
    const std::vector<PostOp> after = as<Binary>(graph.op(id))->post_ops;
    if (std::any_of(after.begin(), after.end(), is_rare_post_op)) return false;
    take_over(graph, conv, id);
    Op& op = graph.op(id);
    op.inputs.push_back(residual);
    std::vector<PostOp>& all = *post_ops(op);
    all.push_back(AddInput{.input = 1});
    all.insert(all.end(), after.begin(), after.end());
    return true;
  });
}

}  // namespace strake::rewrite
