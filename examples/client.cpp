// SPDX-License-Identifier: Apache-2.0
// client ADDRESS FRAMES MILLISECONDS [KEY]: frames to a running cluster (strake serve), each with a deadline. A node or
// the supervisor may die meanwhile. Says how many were answered and how many missed their deadlines.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <strake/strake.hpp>

namespace {

int run(const char* address, int frames, double deadline_ms, const char* key) {
  strake::Client client(address, key);
  const strake::PortInfo input = client.inputs().front();
  const std::int64_t size =
      std::accumulate(input.shape.begin(), input.shape.end(), std::int64_t{1}, std::multiplies<>());
  const std::vector<float> frame(static_cast<std::size_t>(size), 0.5F);
  const std::chrono::duration<double, std::milli> deadline(deadline_ms);

  std::vector<std::future<strake::Result>> results;
  for (int i = 0; i < frames; ++i)
    results.push_back(client.submit({{input.name, {frame, input.shape}}},
                                    std::chrono::duration_cast<std::chrono::nanoseconds>(deadline)));
  int answered = 0;
  int missed = 0;
  for (std::future<strake::Result>& result : results) {
    try {
      (void)result.get();
      ++answered;
    } catch (const strake::DeadlineMissed&) {
      ++missed;
    }
  }
  std::printf("%d answered, %d missed\n", answered, missed);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::fprintf(stderr, "usage: client ADDRESS FRAMES MILLISECONDS [KEY]\n"), 2;
  try {
    return run(argv[1], std::atoi(argv[2]), std::atof(argv[3]), argc > 4 ? argv[4] : "");
  } catch (const strake::InvalidInput& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 2;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
