// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What planners ask about ranks and links; see docs/planning.md.

#include <vector>

#include "core/plan.hpp"
#include "core/profile.hpp"

namespace strake::partition {

/// @throws InvalidInput if profile and graph do not belong together, or a time cannot be one
void check_profile(const Graph& graph, const Profile& profile);

/// Microseconds for boxes and messages, from a measured profile.
class CostModel {
 public:
  /// @param profile  of as many operators as the graph has, for the same axis
  /// @throws InvalidInput if profile and graph do not belong together
  CostModel(const Graph& graph, Profile profile);

  [[nodiscard]] const Graph& graph() const { return *graph_; }
  [[nodiscard]] const Profile& profile() const { return profile_; }
  [[nodiscard]] int n_ranks() const { return profile_.n_ranks(); }
  /// Axis of operator `id`'s output along which strips run, or -1.
  [[nodiscard]] int strip_axis(OpId id) const { return strip_axes_[static_cast<std::size_t>(id)]; }

  /// Time of `rank` to produce `extent` rows (or columns) of operator `id`: interpolated linearly between measured
  /// extents, proportional below the smallest; 0 for extent 0, Input and Constant.
  [[nodiscard]] double compute_us(int rank, OpId id, Index extent) const;
  /// The same for a box; of the channels that it leaves out, as much as measurements with fewer channels say, and their
  /// share where there are none.
  [[nodiscard]] double compute_us(int rank, OpId id, const Box& box) const;
  /// Time of the whole operator if all of it cost no more than the cheapest part that the profile knows: a box of any
  /// size takes at least its share of this.
  [[nodiscard]] double least_whole_us(int rank, OpId id) const;
  /// Time of one message of `bytes` bytes; 0 for 0 bytes or to oneself.
  [[nodiscard]] double transfer_us(int src, int dst, double bytes) const;
  /// Scales a rank's compute: the live factor of the profile, 1 at first.
  void set_factor(int rank, double factor);

 private:
  // Time with so many channels, of that with all.
  [[nodiscard]] double channel_share(int rank, OpId id, Index channels) const;

  const Graph* graph_;
  Profile profile_;
  std::vector<int> strip_axes_;
  std::vector<double> factors_;
};

}  // namespace strake::partition
