// SPDX-License-Identifier: Apache-2.0
#include "partition/bounds.hpp"

#include <algorithm>
#include <cmath>

namespace strake::partition {

double ideal_speedup(const std::vector<double>& whole_us) {
  const double best = *std::min_element(whole_us.begin(), whole_us.end());
  double speedup = 0;
  for (const double us : whole_us) speedup += best / us;
  return speedup;
}

namespace {

// The least time in which ranks of these speeds (rows per unit) finish `rows` whole rows.
double least_time(Index rows, const std::vector<double>& speeds) {
  double total = 0;
  for (const double speed : speeds) total += speed;
  double time = static_cast<double>(rows) / total;
  while (true) {
    Index done = 0;
    double next = time * 2;
    for (const double speed : speeds) {
      // A little slack, so that 3.0 rows that come out as 2.9999 count as three.
      const auto whole_rows = static_cast<Index>(std::floor(speed * time + 1e-9));
      done += whole_rows;
      next = std::min(next, static_cast<double>(whole_rows + 1) / speed);
    }
    if (done >= rows) return time;
    time = next;
  }
}

}  // namespace

double integer_row_speedup(const Graph& graph, SplitAxis axis, const std::vector<double>& whole_us) {
  const double best = *std::min_element(whole_us.begin(), whole_us.end());
  std::vector<double> speeds;
  for (const double us : whole_us) speeds.push_back(best / us);
  const std::vector<int> axes = strip_axes(graph, axis);
  double alone = 0;
  double together = 0;
  for (OpId id = 0; id < graph.size(); ++id) {
    const double work = multiply_adds(graph, id);
    if (work == 0) continue;
    alone += work;
    const int strip_axis = axes[static_cast<std::size_t>(id)];
    if (strip_axis < 0) {
      together += work;
      continue;
    }
    const Index rows = graph.shape(id)[static_cast<std::size_t>(strip_axis)];
    together += work * least_time(rows, speeds) / static_cast<double>(rows);
  }
  return together > 0 ? alone / together : 1;
}

}  // namespace strake::partition
