// SPDX-License-Identifier: Apache-2.0
#include "conformance/run_case.hpp"

#include <algorithm>
#include <set>

#include "conformance/agreement.hpp"
#include "conformance/in_process.hpp"
#include "conformance/uneven_plan.hpp"
#include "core/errors.hpp"
#include "core/rewrite/rewrite.hpp"
#include "onnx/import.hpp"
#include "onnx/model_file.hpp"
#include "onnx/tensor_file.hpp"

namespace strake::conformance {

namespace {

std::vector<std::string> operators_of(const onnx::ModelProto& model) {
  std::set<std::string> types;
  for (const auto& node : model.graph().node()) types.insert(node.op_type());
  return {types.begin(), types.end()};
}

// The operator types that nobody translates, instead of every node that has one.
std::string unknown_operators(const std::filesystem::path& model) {
  std::set<std::string> types;
  for (const std::string& node : onnx_import::unsupported(model)) {
    const std::size_t begin = node.rfind('(') + 1;
    types.insert(node.substr(begin, node.rfind(')') - begin));
  }
  std::string list;
  for (const std::string& type : types) list += (list.empty() ? "no operator " : ", ") + type;
  return list;
}

engine::TensorMap read_inputs(const Case& one, const DataSet& set) {
  const std::vector<onnx_import::DeclaredInput> declared = onnx_import::declared_inputs(one.model());
  if (declared.size() != set.inputs.size())
    throw InvalidInput("the model declares " + std::to_string(declared.size()) + " inputs, the test has " +
                       std::to_string(set.inputs.size()));
  engine::TensorMap inputs;
  for (std::size_t i = 0; i < declared.size(); ++i)
    inputs[declared[i].name] = as_declared(onnx_import::read_tensor_proto(set.inputs[i]), declared[i].type);
  return inputs;
}

Model load_model(const Case& one, const engine::TensorMap& inputs) {
  Model model = onnx_import::import_model(one.model(), {.shapes = {}, .values = inputs});
  rewrite::optimise(model.graph);
  return model;
}

Answer run(const Case& one, const engine::TensorMap& inputs, int n_ranks) {
  const engine::Settings settings{.exactness = kernels::Exactness::exact,
                                  .axis = {},
                                  .threads = 1,
                                  .slowdowns = {},
                                  .slowdown_changes = {},
                                  .build = {}};
  const auto plan = [](engine::Session& session) {
    return session.is_root() ? uneven_plan(session.graph(), session.size()) : Plan{};
  };
  return run_in_process({[&] { return load_model(one, inputs); }, inputs, settings, plan}, n_ranks);
}

std::string first_disagreement(const onnx::ModelProto& model, const DataSet& set, const Answer& answer) {
  const auto& declared = model.graph().output();
  if (static_cast<std::size_t>(declared.size()) < set.outputs.size())
    return "the test has more outputs than the model declares";
  for (std::size_t i = 0; i < set.outputs.size(); ++i) {
    const std::string& name = declared.Get(static_cast<int>(i)).name();
    const std::string text = disagreement(answer.outputs.at(name), onnx_import::read_tensor_proto(set.outputs[i]));
    if (!text.empty()) return "output '" + name + "': " + text;
  }
  return "";
}

// Errors name files; in a list of cases their folders say nothing new.
std::string one_line(std::string text, const Case& one) {
  const std::string folder = one.folder.string() + "/";
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at))
    text.erase(at, folder.size());
  if (const std::string file = "'model.onnx': "; text.starts_with(file)) text.erase(0, file.size());
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  return text;
}

}  // namespace

Outcome run_case(const Case& one, int n_ranks) {
  Outcome outcome;
  try {
    const onnx::ModelProto model = onnx_import::read_model(one.model());
    outcome.operators = operators_of(model);
    if (const std::string unknown = unknown_operators(one.model()); !unknown.empty()) throw InvalidInput(unknown);
    const std::vector<DataSet> sets = data_sets(one);
    if (sets.empty()) throw std::runtime_error("has no test_data_set_0");
    for (const DataSet& set : sets) {
      const engine::TensorMap inputs = read_inputs(one, set);
      const Answer answer = run(one, inputs, n_ranks);
      outcome.spread = answer.ranks_with_work > 1;
      outcome.reason = first_disagreement(model, set, answer);
      if (!outcome.reason.empty()) return outcome;
    }
    outcome.verdict = Verdict::passed;
  } catch (const InvalidInput& error) {
    outcome.verdict = Verdict::unsupported;
    outcome.reason = one_line(error.what(), one);
  } catch (const std::exception& error) {
    outcome.reason = one_line(error.what(), one);
  }
  return outcome;
}

}  // namespace strake::conformance
