// SPDX-License-Identifier: Apache-2.0
#include "engine/named_settings.hpp"

#include <algorithm>
#include <vector>

#include "core/errors.hpp"

namespace strake::engine {

void expect_name(const std::string& what, const std::string& value, const std::vector<std::string>& names) {
  if (std::ranges::find(names, value) != names.end()) return;
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  throw InvalidInput(what + " expects one of " + list + "; got '" + value + "'");
}

Settings settings_of(const NamedSettings& named) {
  const std::vector<std::string> types(transfer_type_names.begin(), transfer_type_names.end());
  expect_name("kernels", named.kernels, {"auto", "direct", "winograd"});
  expect_name("weights", named.weights, {"f32", "bf16"});
  expect_name("transfer type", named.transfer_type, types);
  expect_name("axis", named.axis, {"auto", "h", "w"});
  if (named.exact && named.kernels == "winograd")
    throw InvalidInput(
        "kernels winograd have other bits than exact ones, which are always direct; ask for one of both");
  if (named.exact && named.transfer_type != "f32")
    throw InvalidInput("transfer type " + named.transfer_type +
                       " rounds what travels, so that bits depend on the cut, " +
                       "which exact rules out; ask for one of both");
  Settings settings;
  settings.exactness = named.exact ? kernels::Exactness::exact : kernels::Exactness::fastest;
  if (named.kernels == "direct") settings.kernels = KernelPolicy::direct;
  if (named.kernels == "winograd") settings.kernels = KernelPolicy::winograd;
  if (named.weights == "bf16") settings.storage = kernels::WeightStorage::bf16;
  settings.transfer_type = static_cast<TransferType>(std::ranges::find(types, named.transfer_type) - types.begin());
  if (named.axis == "h") settings.axis = SplitAxis::rows;
  if (named.axis == "w") settings.axis = SplitAxis::columns;
  return settings;
}

}  // namespace strake::engine
