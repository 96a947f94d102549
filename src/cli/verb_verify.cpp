// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

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

struct VerifyOptions {
  CommonOptions common;
  InputOptions inputs;
  std::string plan_file;
  Tolerance tolerance;
};

engine::TensorMap frame(engine::Session& session, Plan plan, const engine::TensorMap& inputs) {
  session.compile(std::move(plan));
  (void)session.run(inputs);
  return session.is_root() ? session.outputs() : engine::TensorMap{};
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
  PlanResult planned = make_session_plan(session, options.common, options.plan_file);
  Plan single = single_rank_plan(session.graph(), session.size(), 0);
  single.axis = session.axis();
  const engine::TensorMap split = frame(session, std::move(planned.plan), inputs);
  const int used = ranks_used(session.plan(), session.graph());
  // What other kernels compute is compared with what direct ones do.
  session.use_kernels(engine::KernelPolicy::direct);
  session.store_weights(kernels::WeightStorage::f32);
  const engine::TensorMap whole = frame(session, std::move(single), inputs);

  const bool exact = options.common.exact && options.common.weights == "f32";
  // Only rank 0 has outputs; its verdict is everybody's exit code.
  bool agrees = true;
  nlohmann::json list = nlohmann::json::array();
  Table table({"output", "elements", "differing", "largest absolute", "largest relative", "of largest magnitude",
               "largest ULP", "verdict"});
  for (const auto& [name, tensor] : split) {
    Tolerance tolerance = options.tolerance;
    if (options.common.kernels != "direct") tolerance.magnitude = 1e-4;
    if (options.common.weights == "bf16") tolerance.magnitude = bf16_tolerance;
    if (exact) tolerance = {.absolute = 0, .relative = 0, .magnitude = 0};
    const Difference difference = compare(tensor, whole.at(name), tolerance);
    const bool fine = difference.within && (!exact || difference.differing_bits == 0);
    agrees = agrees && fine;
    table.add({name, std::to_string(difference.elements), std::to_string(difference.differing_bits),
               fmt::format("{:.3g}", difference.largest_absolute), fmt::format("{:.3g}", difference.largest_relative),
               fmt::format("{:.3g}", difference.of_magnitude), std::to_string(difference.largest_ulp),
               verdict(difference, fine)});
    if (difference.nan_on_both > 0)
      log(LogLevel::warning,
          fmt::format("output '{}': {} of {} elements are NaN on all ranks together and on one alone", name,
                      difference.nan_on_both, difference.elements));
    list.push_back({{"output", name},
                    {"elements", difference.elements},
                    {"differing_bits", difference.differing_bits},
                    {"largest_absolute", difference.largest_absolute},
                    {"largest_relative", difference.largest_relative},
                    {"of_magnitude", difference.of_magnitude},
                    {"largest_ulp", difference.largest_ulp},
                    {"nan_on_one_side", difference.nan_on_one_side},
                    {"nan_on_both", difference.nan_on_both},
                    {"within_tolerance", fine}});
  }
  print(context, options.common,
        fmt::format("{}: {} of {} ranks against one\n", session.graph().name, used, session.size()) + table.text());
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
  add_output_options(*sub, options->common);
  sub->footer("Example:\n  mpirun -np 3 --oversubscribe strake verify net.onnx --exact --strategy equal");
  sub->callback([&context, &verb, options, sub] {
    check_job_options(*sub, options->common, context.communicator.size());
    verb = [&context, options] { return verify(context, *options); };
  });
}

}  // namespace strake::cli
