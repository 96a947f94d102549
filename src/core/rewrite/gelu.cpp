// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/line.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

namespace {

/// A product of numbers and of values of operators.
struct Product {
  float scale = 1;
  std::vector<OpId> factors;
};

/// Looks for x (1 + erf(x / sqrt(2))) / 2 and x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 in any order.
class Gelu {
 public:
  Gelu(const Graph& graph, const std::vector<int>& uses) : graph_(graph), uses_(uses) {}

  std::optional<std::pair<OpId, ActivationKind>> find(OpId id) const {
    Product product;
    collect(id, true, product);
    if (product.factors.size() != 2) return std::nullopt;
    for (const auto& [x, gate] :
         {std::pair(product.factors[0], product.factors[1]), std::pair(product.factors[1], product.factors[0])}) {
      // 1 + erf, or half of it.
      const std::optional<Line> line = line_of(graph_, gate);
      if (!line || !once(gate) || !once(line->x)) continue;
      if (!close(line->scale, line->shift) || !close(line->scale * product.scale, 0.5F)) continue;
      if (is_erf(line->x, x)) return std::pair(x, ActivationKind::gelu);
      if (is_tanh(line->x, x)) return std::pair(x, ActivationKind::gelu_tanh);
    }
    return std::nullopt;
  }

 private:
  bool once(OpId id) const { return read_once(uses_, id); }

  // Multiplies out what only this product reads.
  void collect(OpId id, bool may_open, Product& product) const {
    if (product.factors.size() > 4) return;
    const std::optional<Line> line = may_open ? line_of(graph_, id) : std::nullopt;
    if (line && line->shift == 0) {
      product.scale *= line->scale;
      return collect(line->x, once(line->x), product);
    }
    const auto factors = may_open ? factors_of(graph_, id) : std::nullopt;
    if (!factors) return product.factors.push_back(id);
    collect(factors->first, once(factors->first), product);
    collect(factors->second, once(factors->second), product);
  }

  // erf(x / sqrt(2))
  bool is_erf(OpId id, OpId x) const {
    if (activation_of(graph_, id, ActivationKind::erf) == nullptr) return false;
    const std::optional<Line> inner = line_of(graph_, graph_.op(id).inputs.front());
    return inner && inner->x == x && inner->shift == 0 && close(inner->scale, 0.70710678F);
  }

  // tanh(0.79788 (x + 0.044715 x^3))
  bool is_tanh(OpId id, OpId x) const {
    if (activation_of(graph_, id, ActivationKind::tanh) == nullptr) return false;
    const std::optional<Line> inner = line_of(graph_, graph_.op(id).inputs.front());
    if (!inner || inner->shift != 0 || !close(inner->scale, 0.79788456F)) return false;
    const Op& sum = graph_.op(inner->x);
    const auto* binary = as<Binary>(sum);
    if (binary == nullptr || binary->kind != BinaryKind::add || !binary->post_ops.empty()) return false;
    const bool first = sum.inputs[0] == x;
    return (first || sum.inputs[1] == x) && is_cube(sum.inputs[first ? 1 : 0], x);
  }

  // 0.044715 x^3, as a power or as a product.
  bool is_cube(OpId id, OpId x) const {
    Product product;
    collect(id, true, product);
    if (!close(product.scale, 0.044715F)) return false;
    if (product.factors == std::vector<OpId>{x, x, x}) return true;
    if (product.factors.size() != 1) return false;
    const Op& power = graph_.op(product.factors.front());
    const auto* binary = as<Binary>(power);
    if (binary == nullptr || binary->kind != BinaryKind::pow || power.inputs[0] != x) return false;
    const auto* exponent = as<Constant>(graph_.op(power.inputs[1]));
    return exponent != nullptr && graph_.weight(exponent->value).type == ElementType::f32 &&
           volume(graph_.weight(exponent->value).shape) == 1 && values_of(graph_, exponent->value).front() == 3;
  }

  const Graph& graph_;
  const std::vector<int>& uses_;
};

}  // namespace

bool find_gelus(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    const auto found = Gelu(graph, uses).find(id);
    if (!found) return false;
    graph.op(id).inputs = {found->first};
    graph.op(id).attributes = Elementwise{.function = {.kind = found->second}};
    return true;
  });
}

}  // namespace strake::rewrite
