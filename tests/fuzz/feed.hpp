// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the fuzzer and its regressions do with some bytes.

#include <span>

namespace strake::fuzz {

/// Imports the bytes as an ONNX file and rewrites the graph. Refusing them is fine; every other exception passes.
void feed(std::span<const char> bytes);

}  // namespace strake::fuzz
