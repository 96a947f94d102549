// SPDX-License-Identifier: Apache-2.0
#include "partition/plan_json.hpp"

#include <nlohmann/json.hpp>

#include "core/errors.hpp"

namespace strake::partition {

namespace {

using nlohmann::json;

constexpr int plan_format = 1;

json box_json(const Box& box) {
  json axes = json::array();
  for (const Interval axis : box.axes) axes.push_back({axis.begin, axis.end});
  return axes;
}

// Every reader names the place in the file, since people edit these.
[[noreturn]] void refuse(const std::string& where, const std::string& place, const std::string& expected,
                         const json& got) {
  std::string text = got.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  throw InvalidInput("'" + where + "', " + place + ": expected " + expected + ", got " + text);
}

json parsed(const std::string& text, const std::string& where) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::exception& error) {
    throw InvalidInput("'" + where + "' is not JSON: " + error.what());
  }
  if (!document.is_object()) refuse(where, "top", "an object", document);
  return document;
}

const json& member(const json& object, const char* name, const std::string& where, const std::string& place) {
  if (!object.is_object()) refuse(where, place, "an object", object);
  const auto found = object.find(name);
  if (found == object.end()) throw InvalidInput("'" + where + "', " + place + ": '" + name + "' is missing");
  return *found;
}

std::string text_at(const json& object, const char* name, const std::string& where, const std::string& place) {
  const json& value = member(object, name, where, place);
  if (!value.is_string()) refuse(where, place + "." + name, "text", value);
  return value.get<std::string>();
}

double number_at(const json& object, const char* name, const std::string& where, const std::string& place) {
  const json& value = member(object, name, where, place);
  if (!value.is_number()) refuse(where, place + "." + name, "a number", value);
  return value.get<double>();
}

Index index_of(const json& value, const std::string& where, const std::string& place) {
  if (!value.is_number_integer()) refuse(where, place, "a whole number", value);
  // Anything larger is no index of a tensor, and would overflow sums.
  const auto number = value.is_number_unsigned() && value.get<std::uint64_t>() > (std::uint64_t{1} << 40)
                          ? std::int64_t{-1}
                          : value.get<std::int64_t>();
  if (number < 0 || number > (Index{1} << 40)) refuse(where, place, "a number from 0 to 2^40", value);
  return number;
}

const json& array_at(const json& object, const char* name, const std::string& where, const std::string& place) {
  const json& value = member(object, name, where, place);
  if (!value.is_array()) refuse(where, place + "." + name, "a list", value);
  return value;
}

Box box_of(const json& value, std::size_t n_axes, const std::string& where, const std::string& place) {
  if (!value.is_array() || value.size() != n_axes)
    refuse(where, place, "a box of " + std::to_string(n_axes) + " axes", value);
  Box box;
  for (const json& axis : value) {
    if (!axis.is_array() || axis.size() != 2) refuse(where, place, "[begin, end] for each axis", value);
    box.axes.push_back({index_of(axis[0], where, place), index_of(axis[1], where, place)});
  }
  return box;
}

OpId find_op(const Graph& graph, const std::string& name, const std::string& where) {
  for (OpId id = 0; id < graph.size(); ++id)
    if (graph.op(id).name == name) return id;
  throw InvalidInput("'" + where + "': the model has no operator '" + name + "'");
}

void read_op(const Graph& graph, const json& entry, Plan& plan, const std::string& where) {
  const std::string name = text_at(entry, "name", where, "operators");
  const std::string place = "operator '" + name + "'";
  const OpId id = find_op(graph, name, where);
  if (const auto overlap = entry.find("overlap");
      overlap != entry.end() && overlap->is_boolean() && overlap->get<bool>())
    plan.overlap[static_cast<std::size_t>(id)] = Overlap::interior_first;
  const json& produces = array_at(entry, "produces", where, place);
  if (produces.size() != static_cast<std::size_t>(plan.n_ranks))
    refuse(where, place + ".produces", "a list for each of " + std::to_string(plan.n_ranks) + " ranks", produces);
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    const json& boxes = produces[static_cast<std::size_t>(rank)];
    const std::string at = place + ", rank " + std::to_string(rank);
    if (!boxes.is_array()) refuse(where, at, "a list of boxes", boxes);
    BoxList& list = plan.boxes(id, rank);
    list.clear();
    for (const json& box : boxes) list.push_back(box_of(box, graph.shape(id).size(), where, at));
  }
}

Plan read_plan(const Graph& graph, const json& document, int n_ranks, const std::string& where) {
  const json& format = member(document, "strake_plan", where, "top");
  if (format != plan_format) refuse(where, "strake_plan", std::to_string(plan_format), format);
  if (text_at(document, "model", where, "top") != fingerprint(graph))
    throw InvalidInput("'" + where + "' is a plan for another model ('" +
                       text_at(document, "model_name", where, "top") + "', fingerprint " +
                       text_at(document, "model", where, "top") + "); this one is '" + graph.name + "', fingerprint " +
                       fingerprint(graph));
  const json& ranks = member(document, "ranks", where, "top");
  if (!ranks.is_number_integer() || ranks != n_ranks)
    throw InvalidInput("'" + where + "' is a plan for " + ranks.dump() + " ranks, this job has " +
                       std::to_string(n_ranks));

  Plan plan = empty_plan(graph, n_ranks);
  plan.strategy = text_at(document, "strategy", where, "top");
  plan.predicted_us = number_at(document, "predicted_ms", where, "top") * 1000;
  const std::string axis = text_at(document, "axis", where, "top");
  if (axis != "h" && axis != "w") refuse(where, "axis", "\"h\" or \"w\"", axis);
  plan.axis = axis == "h" ? SplitAxis::rows : SplitAxis::columns;
  for (const json& entry : array_at(document, "operators", where, "top")) read_op(graph, entry, plan, where);
  place_constants(graph, plan);
  return plan;
}

json op_cost_json(const OpCost& cost) { return {{"extents", cost.extents}, {"us", cost.microseconds}}; }

}  // namespace

std::string plan_to_json(const Graph& graph, const Plan& plan) {
  json operators = json::array();
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Constant>(op) != nullptr || as<Input>(op) != nullptr) continue;
    json produces = json::array();
    for (int rank = 0; rank < plan.n_ranks; ++rank) {
      json boxes = json::array();
      for (const Box& box : plan.boxes(id, rank)) boxes.push_back(box_json(box));
      produces.push_back(std::move(boxes));
    }
    operators.push_back({{"name", op.name},
                         {"type", kind_name(op)},
                         {"overlap", plan.overlap[static_cast<std::size_t>(id)] == Overlap::interior_first},
                         {"produces", std::move(produces)}});
  }
  const json document = {{"strake_plan", plan_format},
                         {"model", plan.model},
                         {"model_name", graph.name},
                         {"ranks", plan.n_ranks},
                         {"axis", plan.axis == SplitAxis::rows ? "h" : "w"},
                         {"strategy", plan.strategy},
                         {"predicted_ms", plan.predicted_us / 1000},
                         {"notes", plan.notes},
                         {"operators", std::move(operators)}};
  return document.dump(1, ' ', false, json::error_handler_t::replace);
}

Plan plan_from_json(const Graph& graph, const std::string& text, int n_ranks, const std::string& where) {
  try {
    Plan plan = read_plan(graph, parsed(text, where), n_ranks, where);
    check(graph, plan, n_ranks);
    return plan;
  } catch (const json::exception& error) {
    throw InvalidInput("'" + where + "' is no plan: " + error.what());
  }
}

std::string profile_to_json(const Profile& profile) {
  json ranks = json::array();
  for (const RankProfile& rank : profile.ranks) {
    json ops = json::array();
    for (const OpCost& cost : rank.ops) ops.push_back(op_cost_json(cost));
    ranks.push_back({{"host", rank.host},
                     {"threads", rank.threads},
                     {"whole_us", rank.whole_us},
                     {"copy_us_per_byte", rank.copy_us_per_byte},
                     {"baseline_bytes", rank.baseline_bytes},
                     {"operators", std::move(ops)}});
  }
  json links = json::array();
  for (const auto& row : profile.links) {
    json list = json::array();
    for (const Link& link : row) list.push_back({link.latency_us, link.us_per_byte});
    links.push_back(std::move(list));
  }
  const json document = {{"strake_profile", 1},
                         {"model", profile.model},
                         {"axis", profile.axis == SplitAxis::rows ? "h" : "w"},
                         {"ranks", std::move(ranks)},
                         {"links", std::move(links)}};
  return document.dump(1, ' ', false, json::error_handler_t::replace);
}

Profile profile_from_json(const std::string& text, const std::string& where) {
  try {
    const json document = parsed(text, where);
    Profile profile;
    if (member(document, "strake_profile", where, "top") != 1)
      refuse(where, "strake_profile", "1", document["strake_profile"]);
    profile.model = text_at(document, "model", where, "top");
    profile.axis = text_at(document, "axis", where, "top") == "w" ? SplitAxis::columns : SplitAxis::rows;
    for (const json& entry : array_at(document, "ranks", where, "top")) {
      RankProfile rank;
      rank.host = text_at(entry, "host", where, "ranks");
      rank.threads = static_cast<int>(number_at(entry, "threads", where, "ranks"));
      rank.whole_us = number_at(entry, "whole_us", where, "ranks");
      rank.copy_us_per_byte = number_at(entry, "copy_us_per_byte", where, "ranks");
      rank.baseline_bytes = number_at(entry, "baseline_bytes", where, "ranks");
      for (const json& op : array_at(entry, "operators", where, "ranks"))
        rank.ops.push_back({op.at("extents").get<std::vector<Index>>(), op.at("us").get<std::vector<double>>()});
      profile.ranks.push_back(std::move(rank));
    }
    for (const json& row : array_at(document, "links", where, "top")) {
      std::vector<Link> list;
      for (const json& link : row) list.push_back({link.at(0).get<double>(), link.at(1).get<double>()});
      profile.links.push_back(std::move(list));
    }
    return profile;
  } catch (const json::exception& error) {
    throw InvalidInput("'" + where + "' is no profile: " + error.what());
  }
}

}  // namespace strake::partition
