// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/report.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "onnx/import.hpp"

namespace strake::cli {

namespace {

std::string cut_text(const Graph& graph, OpId id, int rows_axis, int columns_axis) {
  if (as<Input>(graph.op(id)) != nullptr || as<Constant>(graph.op(id)) != nullptr) return "-";
  std::string text = rows_axis >= 0 ? "rows" : "";
  if (columns_axis >= 0) text += text.empty() ? "columns" : ", columns";
  return text.empty() ? "one rank" : text;
}

std::string ports_text(const Graph& graph, const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports)
    text += fmt::format("  {} {} {}\n", port.name, to_string(graph.shape(port.op)), to_string(port.type));
  return text;
}

// All of them are found and written as JSON too, before the model is refused like anywhere else.
[[noreturn]] void refuse(const Context& context, const CommonOptions& options,
                         const std::vector<std::string>& unsupported) {
  write_json(context, options, {{"model", options.model}, {"unsupported", unsupported}});
  throw InvalidInput("'" + options.model + "': " + onnx_import::unsupported_text(unsupported));
}

double weight_bytes(const Graph& graph) {
  std::set<WeightId> used;
  for (const Op& op : graph.ops)
    for (const WeightId id : weights_of(op)) used.insert(id);
  double n_bytes = 0;
  for (const WeightId id : used)
    n_bytes +=
        static_cast<double>(volume(graph.weight(id).shape)) * static_cast<double>(size_of(graph.weight(id).type));
  return n_bytes;
}

// What runs on rank 0 behind the graph, and why.
std::string tail_text(const Tail& tail) {
  if (tail.nodes.empty()) return "";
  Table table({"on rank 0, behind the graph", "type", "why"});
  for (const TailNode& node : tail.nodes) table.add({node.name, node.type, node.reason});
  return table.text();
}

nlohmann::json tail_json(const Tail& tail) {
  nlohmann::json list = nlohmann::json::array();
  for (const TailNode& node : tail.nodes)
    list.push_back({{"name", node.name}, {"type", node.type}, {"reason", node.reason}});
  return list;
}

int info(const Context& context, const CommonOptions& options, const InputOptions& inputs) {
  begin_verb(context, options);
  if (!context.is_root()) return 0;
  const std::vector<std::string> unsupported = onnx_import::unsupported(options.model);
  if (!unsupported.empty()) refuse(context, options, unsupported);
  const Model model = open_model(options.model, options.shapes, inputs).model;
  const Graph& graph = model.graph;

  const std::vector<int> rows = strip_axes(graph, SplitAxis::rows);
  const std::vector<int> columns = strip_axes(graph, SplitAxis::columns);
  nlohmann::json operators = nlohmann::json::array();
  Table table({"operator", "type", "output", "MFLOP", "can be cut along"});
  double work = 0;
  double split_work = 0;
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    const auto place = static_cast<std::size_t>(id);
    const double flops = 2 * multiply_adds(graph, id);
    const std::string cut = cut_text(graph, id, rows[place], columns[place]);
    work += flops;
    if (rows[place] >= 0 || columns[place] >= 0) split_work += flops;
    table.add({op.name, std::string(kind_name(op)), to_string(op.shape), fmt::format("{:.1f}", flops / 1e6), cut});
    operators.push_back(
        {{"name", op.name}, {"type", kind_name(op)}, {"shape", op.shape}, {"flops", flops}, {"cut", cut}});
  }
  std::string text = table.text() + tail_text(model.tail);
  text += "inputs:\n" + ports_text(graph, graph.inputs) + "outputs:\n" + ports_text(graph, graph.outputs);
  text += fmt::format(
      "{} operators after rewriting, {} parameters ({}), {:.3f} GFLOP a frame, {:.1f} % of them in operators "
      "that can be split\n",
      graph.ops.size(), parameters(graph), bytes_text(weight_bytes(graph)), work / 1e9,
      work > 0 ? 100 * split_work / work : 0);
  print(context, options, text);
  write_json(context, options,
             {{"model", graph.name},
              {"operators", operators},
              {"tail", tail_json(model.tail)},
              {"parameters", parameters(graph)},
              {"flops", work},
              {"splittable_flops", split_work},
              {"unsupported", nlohmann::json::array()}});
  return 0;
}

}  // namespace

void add_info(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<CommonOptions>();
  auto inputs = std::make_shared<InputOptions>();
  CLI::App* sub = app.add_subcommand("info", "Show operators, shapes, parameters, FLOPs and what can be split");
  add_model_options(*sub, *options);
  add_input_options(*sub, *inputs);
  add_output_options(*sub, *options);
  sub->footer("Example:\n  strake info net.onnx --shape input=1,3,480,640");
  sub->callback([&context, &verb, options, inputs] {
    verb = [&context, options, inputs] { return info(context, *options, *inputs); };
  });
}

}  // namespace strake::cli
