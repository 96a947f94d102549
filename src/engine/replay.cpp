// SPDX-License-Identifier: Apache-2.0
#include "engine/replay.hpp"

#include "comm/simulation.hpp"
#include "partition/cost_model.hpp"

namespace strake::engine {

namespace {

class ReplayedKernel final : public kernels::Kernel {
 public:
  explicit ReplayedKernel(double us) : us_(us) {}
  void run() override { comm::pass_time(us_); }
  [[nodiscard]] std::string implementation() const override { return "replayed"; }

 private:
  double us_;
};

}  // namespace

RankProfile replayed_profile(RankProfile recorded, double slowdown) {
  scale_times(recorded, slowdown / comm::host_speed());
  recorded.jitter_us = 0;
  return recorded;
}

BoxCost box_costs(const Graph& graph, RankProfile profile, SplitAxis axis) {
  const auto costs = std::make_shared<partition::CostModel>(
      graph, Profile{.model = {}, .axis = axis, .ranks = {std::move(profile)}, .links = {{Link{}}}});
  return [costs](OpId id, const Box& box) { return costs->compute_us(0, id, box); };
}

std::unique_ptr<kernels::Kernel> replayed_kernel(double us) { return std::make_unique<ReplayedKernel>(us); }

}  // namespace strake::engine
