// SPDX-License-Identifier: Apache-2.0
#include "core/rewrite/rewrite.hpp"

#include <array>

namespace strake::rewrite {

void optimise(Graph& graph) {
  const SplitAxis parts = longer_axis(graph);
  // Activations are found before scalars become ScaleShifts. Scales go into convolutions before activations and
  // residual additions stand between them.
  constexpr std::array rewrites = {drop_dead,
                                   drop_identities,
                                   find_shuffles,
                                   find_activations,
                                   find_gelus,
                                   find_blocks,
                                   lower_global_pools,
                                   lower_flatten,
                                   fold_pads,
                                   constants_to_scale_shift,
                                   lift_over_reshapes,
                                   lift_over_blocks,
                                   fold_scale_shift_backward,
                                   fold_scale_shift_forward,
                                   fuse_activations,
                                   fuse_residuals};
  bool changed = true;
  while (changed) {
    changed = split_reductions(graph, parts);
    for (const auto rewrite : rewrites) changed = rewrite(graph) || changed;
  }
  // Once convolutions have their scales, activations and residuals.
  constexpr std::array quantised = {move_bytes, find_integer_convs, fuse_quantised, drop_identities, drop_dead};
  for (changed = true; changed;) {
    changed = false;
    for (const auto rewrite : quantised) changed = rewrite(graph) || changed;
  }
}

}  // namespace strake::rewrite
