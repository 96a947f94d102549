// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/compare.hpp"
#include "cli/numbers.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "core/log.hpp"

namespace strake::cli {

namespace {

// Of the largest magnitude: weights of 8 bits of mantissa, whose errors average out over a layer's sums.
constexpr double bf16_tolerance = 1e-2;

// By other algorithms than the direct one.
constexpr double kernels_tolerance = 1e-4;

// By `TransferType`: what halos of 8 and 11 bits of mantissa, or of 127 steps, leave behind the layers of a network.
constexpr double transfer_tolerances[] = {0, 1e-2, 2e-3, 5e-2};

struct VerifyOptions {
  CommonOptions common;
  InputOptions inputs;
  std::string plan_file;
  Tolerance tolerance;
};

double magnitude_tolerance(const CommonOptions& options, TransferType transfer_type) {
  return std::max({options.kernels != "direct" ? kernels_tolerance : 0, options.weights == "bf16" ? bf16_tolerance : 0,
                   transfer_tolerances[static_cast<std::size_t>(transfer_type)]});
}

// Of one frame or of all of a cycle; of rank 0 only.
std::vector<engine::TensorMap> outputs_of(engine::Session& session, Plan plan, const engine::TensorMap& inputs) {
  session.compile(std::move(plan));
  (void)session.run(inputs);
  std::vector<engine::TensorMap> frames;
  if (session.is_root())
    for (int frame = 0; frame < session.plan().frames; ++frame) frames.push_back(session.outputs(frame));
  return frames;
}

struct Pair {
  std::string name;
  const HostTensor* split = nullptr;
  const HostTensor* whole = nullptr;
};

std::vector<Pair> pairs_of(const std::vector<engine::TensorMap>& split, const std::vector<engine::TensorMap>& whole) {
  std::vector<Pair> pairs;
  for (std::size_t frame = 0; frame < split.size(); ++frame)
    for (const auto& [name, tensor] : split[frame])
      pairs.push_back(
          {split.size() == 1 ? name : fmt::format("{}, frame {}", name, frame), &tensor, &whole.front().at(name)});
  return pairs;
}

const char* verdict(const Difference& difference, bool fine) {
  if (!fine) return "DIFFERENT";
  return difference.differing_bits == 0 ? "equal, bit for bit" : "equal enough";
}

int verify(const Context& context, const VerifyOptions& options) {
  begin_verb(context, options.common, {}, {options.plan_file});
  OpenSession open = open_session(context, options.common, options.inputs);
  engine::Session& session = open.session;
  const engine::TensorMap inputs = inputs_to_measure(context, options.inputs, open);
  if (options.inputs.files.empty()) print(context, options.common, "no --input given: pseudo-random values\n");
  engine::PlanResult planned = make_session_plan(session, options.common, options.plan_file);
  Plan single = single_rank_plan(session.graph(), session.size(), 0);
  single.axis = session.axis();
  const std::vector<engine::TensorMap> split = outputs_of(session, std::move(planned.plan), inputs);
  const int used = ranks_used(session.plan(), session.graph());
  const TransferType transfer_type = session.plan().transfer_type;
  // What other kernels compute is compared with what direct ones do.
  session.use_kernels(engine::KernelPolicy::direct);
  session.store_weights(kernels::WeightStorage::f32);
  const std::vector<engine::TensorMap> whole = outputs_of(session, std::move(single), inputs);

  const bool exact = options.common.exact && options.common.weights == "f32";
  // Only rank 0 has outputs; its verdict is everybody's exit code.
  bool agrees = true;
  nlohmann::json list = nlohmann::json::array();
  Table table({"output", "elements", "differing", "largest absolute", "mean absolute", "largest relative",
               "of largest magnitude", "largest ULP", "verdict"});
  for (const auto& [name, mine, reference] : pairs_of(split, whole)) {
    Tolerance tolerance = options.tolerance;
    tolerance.magnitude = magnitude_tolerance(options.common, transfer_type);
    if (exact) tolerance = {.absolute = 0, .relative = 0, .magnitude = 0};
    const Difference difference = compare(*mine, *reference, tolerance);
    const bool fine = difference.within && (!exact || difference.differing_bits == 0);
    agrees = agrees && fine;
    table.add({name, std::to_string(difference.elements), std::to_string(difference.differing_bits),
               fmt::format("{:.3g}", difference.largest_absolute), fmt::format("{:.3g}", difference.mean_absolute),
               fmt::format("{:.3g}", difference.largest_relative), fmt::format("{:.3g}", difference.of_magnitude),
               std::to_string(difference.largest_ulp), verdict(difference, fine)});
    if (difference.nan_on_both > 0)
      log(LogLevel::warning,
          fmt::format("output '{}': {} of {} elements are NaN on all ranks together and on one alone", name,
                      difference.nan_on_both, difference.elements));
    list.push_back({{"output", name},
                    {"elements", difference.elements},
                    {"differing_bits", difference.differing_bits},
                    {"largest_absolute", difference.largest_absolute},
                    {"mean_absolute", difference.mean_absolute},
                    {"largest_relative", difference.largest_relative},
                    {"of_magnitude", difference.of_magnitude},
                    {"largest_ulp", difference.largest_ulp},
                    {"nan_on_one_side", difference.nan_on_one_side},
                    {"nan_on_both", difference.nan_on_both},
                    {"within_tolerance", fine}});
  }
  std::string text = fmt::format("{}: {} of {} ranks against one", session.graph().name, used, session.size());
  if (transfer_type != TransferType::f32) text += fmt::format(", {} between hosts", to_string(transfer_type));
  print(context, options.common, text + "\n" + table.text());
  write_json(context, options.common,
             {{"model", session.graph().name}, {"ranks_used", used}, {"agrees", agrees}, {"outputs", list}});
  return agrees ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* sub = app.add_subcommand("verify", "Compare the answer of all ranks with that of one");
  add_model_options(*sub, options->common);
  add_input_options(*sub, options->inputs);
  add_plan_option(*sub, options->plan_file);
  sub->add_option("--absolute", options->tolerance.absolute, "Tolerance; 0 under --exact")
      ->check(check_number(number_of_0_or_more()))
      ->capture_default_str();
  sub->add_option("--relative", options->tolerance.relative, "Tolerance; 0 under --exact")
      ->check(check_number(number_of_0_or_more()))
      ->capture_default_str();
  add_job_options(*sub, options->common);
  add_transfer_option(*sub, options->common);
  add_output_options(*sub, options->common);
  sub->footer("Example:\n  mpirun -np 3 --oversubscribe strake verify net.onnx --exact --strategy equal");
  sub->callback([&context, &verb, options, sub] {
    check_job_options(*sub, options->common, context.communicator.size());
    verb = [&context, options] { return verify(context, *options); };
  });
}

}  // namespace strake::cli
