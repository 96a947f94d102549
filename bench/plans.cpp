// SPDX-License-Identifier: Apache-2.0
// What planning predicts for a cluster: strake-bench-plans MODEL.onnx PROFILE.json STRATEGY...
// One JSON object for each strategy on standard output, bounds first. `bench/predict` makes the profile of a cluster.

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "core/errors.hpp"
#include "core/rewrite/rewrite.hpp"
#include "onnx/import.hpp"
#include "partition/bounds.hpp"
#include "partition/frame_bound.hpp"
#include "partition/plan_json.hpp"
#include "partition/planner.hpp"
#include "partition/verdict.hpp"

namespace {

using namespace strake;

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw InvalidInput("'" + path + "' cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void predict(int n, char** arguments) {
  Model model = onnx_import::import_model(arguments[1], {});
  rewrite::optimise(model.graph);
  const partition::CostModel costs(model.graph, partition::profile_from_json(text_of(arguments[2]), arguments[2]));
  const std::vector<double> single_us = partition::whole_us(costs);
  const double best_us = *std::ranges::min_element(single_us);
  std::cout << nlohmann::ordered_json{{"best_single_ms", best_us / 1000},
                                      {"ideal_ms", best_us / partition::ideal_speedup(single_us) / 1000},
                                      {"whole_rows_bound_ms", best_us / partition::whole_rows_speedup(costs) / 1000},
                                      {"communication_bound_ms", partition::frame_bound_us(costs) / 1000}}
            << std::endl;
  for (int i = 3; i < n; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Plan plan = partition::make_plan(costs, arguments[i]);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const partition::Losses lost = partition::judge(costs, plan).losses;
    std::cout << nlohmann::ordered_json{{"strategy", arguments[i]},
                                        {"chosen", plan.strategy},
                                        {"predicted_ms", plan.predicted_us / 1000},
                                        {"planning_s", seconds.count()},
                                        {"messages_ms", lost.messages_us / 1000},
                                        {"imbalance_ms", lost.imbalance_us / 1000},
                                        {"unsplit_ms", lost.unsplit_us / 1000},
                                        {"kernels_ms", lost.kernels_us / 1000},
                                        {"left_out_ms", lost.left_out_us / 1000},
                                        {"notes", plan.notes}}
              << std::endl;
  }
}

}  // namespace

int main(int n, char** arguments) {
  if (n < 4) {
    std::cerr << "strake-bench-plans MODEL.onnx PROFILE.json STRATEGY...\n";
    return 2;
  }
  try {
    predict(n, arguments);
  } catch (const InvalidInput& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
