// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Measurements in the cache on disk, so that a cluster measures itself once.

#include <optional>
#include <string>

#include "core/graph.hpp"
#include "core/profile.hpp"
#include "engine/kernel_choice.hpp"

namespace strake::engine {

/// What a profile depends on, as text: host, CPU, ranks on the host and this one's place among them, threads, kernel
/// library, instruction set, Strake's build, model, axis, exactness, emulated slowdown.
using ProfileKey = std::string;

/// The profile that was stored under exactly this key; empty if there is none, and with a warning if it cannot be read
/// or cannot be one of `graph`.
[[nodiscard]] std::optional<RankProfile> load_profile(const ProfileKey& key, const Graph& graph);

/// The kernels that were measured to be the fastest for the boxes that the key names.
[[nodiscard]] std::optional<Families> load_families(const std::string& key, std::size_t n_ops);
void store_families(const std::string& key, const Families& families);

/// Keeps a profile; failing to (no home, disk full) is logged and otherwise harmless.
void store_profile(const ProfileKey& key, const RankProfile& profile);

}  // namespace strake::engine
