// SPDX-License-Identifier: Apache-2.0
// compare-npy A B [RELATIVE ABSOLUTE [largest]]: exit code 0 if A is B within the tolerance; with `largest`, RELATIVE
// is of B's largest magnitude. Without tolerances the bits must agree.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/compare.hpp"
#include "io/npy.hpp"

int main(int argc, char** argv) {
  using namespace strake;
  try {
    if (argc < 3) throw InvalidInput("two files");
    const HostTensor a = io::read_npy(argv[1]);
    const HostTensor b = io::read_npy(argv[2]);
    if (a.shape != b.shape || a.type != b.type)
      throw InvalidInput(to_string(a.shape) + " is not " + to_string(b.shape));
    cli::Tolerance tolerance{.absolute = 0, .relative = 0};
    if (argc > 4) tolerance = {.absolute = std::atof(argv[4]), .relative = std::atof(argv[3])};
    if (argc > 5 && std::strcmp(argv[5], "largest") == 0) {
      double largest = 0;
      for (const float value : b.data.floats()) largest = std::max(largest, std::abs(static_cast<double>(value)));
      tolerance = {.absolute = largest * tolerance.relative, .relative = 0};
    }
    const cli::Difference difference = cli::compare(a, b, tolerance);
    std::printf("%lld of %lld differ, largest absolute %g, relative %g\n",
                static_cast<long long>(difference.differing_bits), static_cast<long long>(difference.elements),
                difference.largest_absolute, difference.largest_relative);
    const bool bits_wanted = argc <= 4;
    return difference.within && !(bits_wanted && difference.differing_bits > 0) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare-npy: %s\n", error.what());
    return 2;
  }
}
