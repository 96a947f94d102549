// SPDX-License-Identifier: Apache-2.0
#include "kernels/finish.hpp"

#include <algorithm>
#include <limits>

#include "kernels/activation.hpp"
#include "kernels/fast_activation.hpp"

namespace strake::kernels {

std::optional<Finish> simple_finish(const std::vector<PostOp>& post_ops) {
  Finish finish;
  auto at = post_ops.begin();
  if (at != post_ops.end() && std::holds_alternative<AddInput>(*at)) {
    finish.adds_to_dst = true;
    ++at;
  }
  if (at != post_ops.end()) {
    const auto* function = std::get_if<Activation>(&*at);
    if (function == nullptr) return std::nullopt;
    if (function->kind == ActivationKind::relu) {
      finish.low = 0;
    } else if (function->kind == ActivationKind::clip) {
      finish.low = function->alpha;
      finish.high = function->beta;
    } else {
      return std::nullopt;
    }
    ++at;
  }
  return at == post_ops.end() ? std::optional(finish) : std::nullopt;
}

std::optional<Finish> fast_finish(std::vector<PostOp> post_ops) {
  if (std::optional<Finish> all = simple_finish(post_ops)) return all;
  const auto* last = std::get_if<Activation>(&post_ops.back());
  if (last == nullptr || !has_fast(*last)) return std::nullopt;
  const Activation function = *last;
  post_ops.pop_back();
  std::optional<Finish> finish = simple_finish(post_ops);
  if (finish) finish->function = function;
  return finish;
}

bool ends_in_registers(const Finish& finish) {
  if (!finish.function) return true;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const bool bounded = finish.low > -infinity || finish.high < infinity;
  return !bounded &&
         (finish.function->kind == ActivationKind::swish || finish.function->kind == ActivationKind::hard_swish);
}

void finish_pixel(const std::vector<PostOp>& post_ops, float* sums, Index n, float* out) {
  for (const PostOp& post_op : post_ops) {
    if (const auto* function = std::get_if<Activation>(&post_op)) {
      apply(*function, sums, sums, n);
    } else {
      for (Index i = 0; i < n; ++i) sums[i] += out[i];
    }
  }
  std::copy_n(sums, n, out);
}

std::vector<float> padded_bias(const MakeContext& context, Interval channels) {
  std::vector<float> bias(static_cast<std::size_t>(whole_lanes(channels.size())), 0.0F);
  const WeightId id = as<Conv>(context.op())->bias;
  if (id == no_weight) return bias;
  const Blob original = context.weights.original(id);
  std::copy_n(original.floats().data() + channels.begin, channels.size(), bias.data());
  return bias;
}

}  // namespace strake::kernels
