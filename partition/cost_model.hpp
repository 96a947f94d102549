// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What planners ask about ranks and links; see docs/planning.md.

#include <vector>

#include "core/plan.hpp"
#include "core/profile.hpp"

namespace strake::partition {

/// @throws InvalidInput if profile and graph do not belong together, or a time cannot be one
void check_profile(const Graph& graph, const Profile& profile);

/// How a tensor travels from one rank to another.
struct Travel {
  TransferType type = TransferType::f32;
  double share = 1;               // bytes on the link of those of the tensor
  double encode_us_per_byte = 0;  // of the tensor, on the sender before a message leaves
  double decode_us_per_byte = 0;  // on the receiver once it is there
};

/// Where a rank's host is joined to others: all messages from ranks of that host to other hosts leave through it.
struct HostPort {
  int host = 0;                // number of the host; ranks on one host share a port
  double out_us_per_byte = 0;  // of the fastest link to another host; 0 where there is none
  double in_us_per_byte = 0;
};

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
  /// How the output of operator `id` travels: between hosts as the profile's transfer type says.
  [[nodiscard]] Travel travel(int src, int dst, OpId id) const;
  /// The link as the output of operator `id` sees it, for bytes of the tensor: rounding on both sides is a part of it.
  [[nodiscard]] Link link(int src, int dst, OpId id) const;
  /// Time of the whole operator if all of it cost no more than the cheapest part that the profile knows: a box of any
  /// size takes at least its share of this.
  [[nodiscard]] double least_whole_us(int rank, OpId id) const;
  /// Time of one message of `bytes` bytes that travel as they are; 0 for 0 bytes or to oneself.
  [[nodiscard]] double transfer_us(int src, int dst, double bytes) const;
  /// The same for bytes of the output of operator `id`.
  [[nodiscard]] double transfer_us(int src, int dst, OpId id, double bytes) const;
  /// Bytes on the link for a box of the output of `id`.
  [[nodiscard]] double sent_bytes(const Transfer& transfer, OpId id) const;
  [[nodiscard]] const HostPort& host_port(int rank) const { return ports_[static_cast<std::size_t>(rank)]; }
  /// Scales a rank's compute: the live factor of the profile, 1 at first.
  void set_factor(int rank, double factor);
  [[nodiscard]] double factor(int rank) const { return factors_[static_cast<std::size_t>(rank)]; }

 private:
  // Time with so many channels, of that with all.
  [[nodiscard]] double channel_share(int rank, OpId id, Index channels) const;

  const Graph* graph_;
  Profile profile_;
  std::vector<int> strip_axes_;
  std::vector<double> factors_;
  std::vector<HostPort> ports_;  // [rank]
};

}  // namespace strake::partition
