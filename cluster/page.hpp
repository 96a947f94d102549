// SPDX-License-Identifier: Apache-2.0
#pragma once
/// page.html as the program holds it.

#include <string_view>

namespace strake::cluster {

extern const std::string_view page;

}  // namespace strake::cluster
