// SPDX-License-Identifier: Apache-2.0
// deadline MODEL MILLISECONDS [FRAMES]: a camera that does not wait. Frames come as fast as the queue takes them, each
// with a deadline; those whose turn comes later are dropped. Says how many were answered, dropped and refused.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <strake/strake.hpp>
#include <thread>

namespace {

int run(const char* model, double deadline_ms, int frames) {
  strake::EngineOptions options;
  options.model = model;
  options.queue = 4;
  options.when_full = strake::WhenFull::refuse;
  strake::Engine engine(options);
  if (!engine.is_root()) return engine.work();

  const strake::PortInfo& input = engine.inputs().front();
  const std::int64_t size =
      std::accumulate(input.shape.begin(), input.shape.end(), std::int64_t{1}, std::multiplies<>());
  const std::vector<float> frame(static_cast<std::size_t>(size), 0.5F);
  const std::chrono::duration<double, std::milli> deadline(deadline_ms);

  std::vector<std::future<strake::Result>> results;
  int refused = 0;
  for (int i = 0; i < frames; ++i) {
    try {
      results.push_back(engine.submit({{input.name, {frame, input.shape}}},
                                      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline)));
    } catch (const strake::QueueFull&) {
      ++refused;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  int answered = 0;
  int dropped = 0;
  for (std::future<strake::Result>& result : results) {
    try {
      (void)result.get();
      ++answered;
    } catch (const strake::DeadlineMissed&) {
      ++dropped;
    }
  }
  std::printf("%d answered, %d dropped, %d refused\n", answered, dropped, refused);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: deadline MODEL MILLISECONDS [FRAMES]\n"), 2;
  try {
    return run(argv[1], std::atof(argv[2]), argc > 3 ? std::atoi(argv[3]) : 50);
  } catch (const strake::InvalidInput& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 2;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
