// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Measured speed of ranks and of the links between them.

#include <string>
#include <vector>

#include "core/interval_map.hpp"
#include "core/transfer_type.hpp"

namespace strake {

/// Time of one operator on one rank at a few extents along the strip axis, measured where it will run.
struct OpCost {
  std::vector<Index> extents;        // ascending, at least one; the last is the whole axis
  std::vector<double> microseconds;  // of the kernel that produces so many rows (or columns)
};

/// What one rank measured of itself.
struct RankProfile {
  std::string host;
  int threads = 1;
  std::vector<OpCost> ops;  // [op]; for operators that cannot be cut one extent: 1
  std::vector<OpCost> channels =
      {};                         // [op]: at a few numbers of channels of whole maps; no extents where nobody measured
  double whole_us = 0;            // the whole model on this rank, other ranks of its host busy with the same
  double jitter_us = 0;           // variance of its computing time per microsecond of it
  double copy_us_per_byte = 0;    // of memory on this rank
  double encode_us_per_byte = 0;  // of f32 cells to the profile's transfer type, before they leave
  double decode_us_per_byte = 0;  // and back, once they are there
  double baseline_bytes = 0;      // resident before anything was prepared
};

/// Multiplies what every operator and the whole model take.
inline void scale_times(RankProfile& rank, double factor) {
  for (std::vector<OpCost>* costs : {&rank.ops, &rank.channels})
    for (OpCost& cost : *costs)
      for (double& us : cost.microseconds) us *= factor;
  rank.whole_us *= factor;
}

/// What a message of n bytes costs between two ranks: it is there latency + n * us_per_byte after its start, and its
/// sender can compute again after overhead + n * overhead_us_per_byte (the o and O of the LoOgGP model, D. Martinez et
/// al., 2009). Between processes of one machine the sender's copying is nearly all of it.
struct Link {
  double latency_us = 0;
  double us_per_byte = 0;
  double overhead_us = 0;
  double overhead_us_per_byte = 0;
  bool same_host = false;  // what passes here is never rounded: memory is faster than rounding
};

/// What joins hosts. Each host has a port of its own, as fast as its fastest link, and messages that pass through a
/// port at the same time share it.
enum class Medium : unsigned char {
  switched,  // a port carries as much in as out at the same time
  shared,    // all links between hosts are one, as of a wireless network: a byte on any of them is on all
};

/// Ranks and links of one cluster, as rank 0 gathers them.
struct Profile {
  std::string model;  // fingerprint
  SplitAxis axis = SplitAxis::rows;
  TransferType transfer_type = TransferType::f32;  // that plans are to use between hosts
  std::vector<RankProfile> ranks;
  std::vector<std::vector<Link>> links;  // [src][dst]; the diagonal is free
  Medium medium = Medium::switched;      // of links between ranks on unlike hosts

  [[nodiscard]] int n_ranks() const { return static_cast<int>(ranks.size()); }
};

}  // namespace strake
