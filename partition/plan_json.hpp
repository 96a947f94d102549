// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plans, profiles and links as JSON text.

#include <string>

#include "core/plan.hpp"
#include "core/profile.hpp"

namespace strake::partition {

/// Pretty-printed; operators stand under their names, so that people can edit it.
[[nodiscard]] std::string plan_to_json(const Graph& graph, const Plan& plan);

/// Parses and checks (`strake::check`).
/// @param where  named in errors, as the file's path
/// @throws InvalidInput with place, expectation and finding: broken JSON, another model, another rank count, an
///         unknown or missing operator, boxes outside tensors
[[nodiscard]] Plan plan_from_json(const Graph& graph, const std::string& text, int n_ranks, const std::string& where);

[[nodiscard]] std::string profile_to_json(const Profile& profile);
/// Takes what the verb `profile --json` writes as well, where the profile stands under its name.
/// @throws InvalidInput on anything that is not a profile
[[nodiscard]] Profile profile_from_json(const std::string& text, const std::string& where);

}  // namespace strake::partition
