// SPDX-License-Identifier: Apache-2.0
// first_steps MODEL: runs one frame of a model with one float input and says which element of its first output is
// largest. Alone, or as mpirun -np 4 first_steps MODEL.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>
#include <strake/strake.hpp>

namespace {

int run(const char* model) {
  strake::Engine engine({.model = model});
  if (!engine.is_root()) return engine.work();

  // Where your frame would come from: any memory of yours with the input's shape, which is borrowed and not copied.
  const strake::PortInfo& input = engine.inputs().front();
  const std::int64_t size =
      std::accumulate(input.shape.begin(), input.shape.end(), std::int64_t{1}, std::multiplies<>());
  const std::vector<float> frame(static_cast<std::size_t>(size), 0.5F);

  const strake::Result result = engine.run({{input.name, {frame, input.shape}}});
  const auto& [name, output] = *result.outputs.begin();
  const auto values = output.values<float>();
  const auto largest = std::max_element(values.begin(), values.end()) - values.begin();
  std::printf("%s: element %td is largest, %.3f ms on %d of %d ranks\n", name.c_str(), largest, result.latency_ms,
              engine.plan().ranks_used, engine.ranks());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: first_steps MODEL\n"), 2;
  strake::set_log([](strake::Severity severity, const std::string& message) {
    if (severity >= strake::Severity::warning) std::fprintf(stderr, "strake: %s\n", message.c_str());
  });
  try {
    return run(argv[1]);
  } catch (const strake::InvalidInput& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 2;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
