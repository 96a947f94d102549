// SPDX-License-Identifier: Apache-2.0
#include "partition/plan_json.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "core/unroll.hpp"
#include "partition/json_reader.hpp"
#include "partition/planner.hpp"

namespace strake::partition {

namespace {

using nlohmann::ordered_json;

constexpr const char* transfer_key = "transfer_dtype";
constexpr const char* frames_key = "frames";

// Constants follow from their readers.
bool is_written(const Op& op) { return as<Constant>(op) == nullptr; }

ordered_json to_json(const Box& box) {
  ordered_json axes = ordered_json::array();
  for (const Interval axis : box.axes) axes.push_back({axis.begin, axis.end});
  return axes;
}

Box box_of(const JsonReader& json, const Shape& shape) {
  Box box;
  const std::vector<JsonReader> axes = json.elements(shape.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    const std::vector<JsonReader> ends = axes[axis].elements(2);
    const Interval interval{ends[0].index(), ends[1].index()};
    if (interval.empty() || !Interval{0, shape[axis]}.contains(interval))
      axes[axis].fail("expected an interval that is not empty and inside [0, " + std::to_string(shape[axis]) +
                      "), got " + to_string(interval));
    box.axes.push_back(interval);
  }
  return box;
}

// One operator of the plan of one frame.
void read_op(const JsonReader& json, const Graph& graph, OpId id, Plan& plan) {
  plan.overlap[static_cast<std::size_t>(id)] =
      json.member("overlap").one_of({"none", "interior_first"}) == 1 ? Overlap::interior_first : Overlap::none;
  const std::vector<JsonReader> ranks = json.member("produces").elements(static_cast<std::size_t>(plan.n_ranks));
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    plan.boxes(id, rank).clear();
    for (const JsonReader& box : ranks[static_cast<std::size_t>(rank)].elements())
      plan.boxes(id, rank).push_back(box_of(box, graph.shape(id)));
  }
}

// @param plans  [frame], filled
void read_ops(const JsonReader& json, const Graph& graph, std::vector<Plan>& plans) {
  const bool is_cycle = plans.size() > 1;
  std::map<std::pair<std::size_t, std::string>, OpId> missing;
  for (std::size_t frame = 0; frame < plans.size(); ++frame)
    for (OpId id = 0; id < graph.size(); ++id)
      if (is_written(graph.op(id))) missing.emplace(std::pair{frame, graph.op(id).name}, id);
  for (const JsonReader& element : json.elements()) {
    const std::string name = element.member("name").text();
    const Index frame = is_cycle ? element.member("frame").index() : 0;
    const auto found = missing.find({static_cast<std::size_t>(frame), name});
    if (found == missing.end())
      element.fail("expected each operator of the model once" + std::string(is_cycle ? " in each frame" : "") +
                   ", got '" + name + "'" + (is_cycle ? " of frame " + std::to_string(frame) : ""));
    const JsonReader op = element.named("operator '" + name + "'");
    std::vector<std::string> members = {"name", "kind", "overlap", "produces"};
    if (is_cycle) members.emplace_back("frame");
    op.expect_members(members);
    (void)op.member("kind").one_of({std::string(kind_name(graph.op(found->second)))});
    read_op(op, graph, found->second, plans[static_cast<std::size_t>(frame)]);
    missing.erase(found);
  }
  if (!missing.empty())
    json.fail("operator '" + missing.begin()->first.second + "' of the model is missing" +
              (is_cycle ? " in frame " + std::to_string(missing.begin()->first.first) : ""));
}

std::size_t n_frames_of(const JsonReader& json) {
  const Index frames = json.index();
  if (frames < 1 || frames > most_frames_in_flight)
    json.fail("expected from 1 to " + std::to_string(most_frames_in_flight) + " frames in flight, got " +
              std::to_string(frames));
  return static_cast<std::size_t>(frames);
}

// Whether the plan was made for pictures: they have an operator of their own.
bool takes_pictures(const nlohmann::json& plan) {
  const auto operators = plan.find("operators");
  if (operators == plan.end() || !operators->is_array()) return false;
  const Op picture{.name = {}, .inputs = {}, .shape = {}, .type = {}, .attributes = NormalizePicture{}};
  return std::any_of(operators->begin(), operators->end(), [kind = kind_name(picture)](const nlohmann::json& op) {
    return op.is_object() && op.contains("kind") && op["kind"] == kind;
  });
}

bool takes_pictures(const Graph& graph) {
  return std::any_of(graph.ops.begin(), graph.ops.end(),
                     [](const Op& op) { return as<NormalizePicture>(op) != nullptr; });
}

// Says what differs where that can be told: the fingerprint covers operators, shapes and types of inputs.
[[noreturn]] void refuse_model(const JsonReader& json, const nlohmann::json& plan, const Graph& graph) {
  const std::string name = json.member("name").text();
  if (name != graph.name) json.fail("made for model '" + name + "', but this is model '" + graph.name + "'");
  const bool for_pictures = takes_pictures(plan);
  if (for_pictures != takes_pictures(graph))
    json.fail(std::string("made for '") + name + "' with " + (for_pictures ? "a picture" : "numbers, no picture,") +
              " as --input, but this --input is " + (for_pictures ? "none" : "a picture") +
              "; plan with the same --input as the run");
  json.fail("made for another model '" + name + "', or for another --shape or --input of it (" +
            json.member("model").text() + ", this is " + fingerprint(graph) + ")");
}

}  // namespace

namespace {

// @param plan  of one frame
ordered_json to_json(const Graph& graph, OpId id, const Plan& plan) {
  ordered_json produces = ordered_json::array();
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    ordered_json boxes = ordered_json::array();
    for (const Box& box : plan.boxes(id, rank)) boxes.push_back(to_json(box));
    produces.push_back(std::move(boxes));
  }
  const bool overlaps = plan.overlap[static_cast<std::size_t>(id)] == Overlap::interior_first;
  return {{"name", graph.op(id).name},
          {"kind", kind_name(graph.op(id))},
          {"overlap", overlaps ? "interior_first" : "none"},
          {"produces", std::move(produces)}};
}

}  // namespace

std::string plan_to_json(const Graph& graph, const Plan& plan) {
  ordered_json operators = ordered_json::array();
  for (int frame = 0; frame < plan.frames; ++frame) {
    const Plan one = frame_plan(plan, frame);
    for (OpId id = 0; id < graph.size(); ++id) {
      if (!is_written(graph.op(id))) continue;
      operators.push_back(to_json(graph, id, one));
      if (plan.frames > 1) operators.back()["frame"] = frame;
    }
  }
  ordered_json json = {{"strake_plan", 1},
                       {"model", plan.model},
                       {"name", graph.name},
                       {"ranks", plan.n_ranks},
                       {"axis", axis_name(plan.axis)},
                       {transfer_key, to_string(plan.transfer_type)},
                       {"strategy", plan.strategy},
                       {"predicted_ms", plan.predicted_us / 1000},
                       {"notes", plan.notes}};
  if (plan.frames > 1) json[frames_key] = plan.frames;
  json["operators"] = std::move(operators);
  return write_json(json, "operators");
}

Plan plan_from_json(const Graph& graph, const std::string& text, int n_ranks, const std::string& where) {
  const nlohmann::json parsed = parse_json(text, where);
  const JsonReader json(parsed, where);
  json.member("strake_plan").must_be(1);
  json.expect_members(
      {"strake_plan", "model", "name", "ranks", "axis", "strategy", "predicted_ms", "notes", "operators"},
      {transfer_key, frames_key});
  const bool is_cycle = json.has_member(frames_key);
  if (json.member("model").text() != fingerprint(graph)) refuse_model(json, parsed, graph);
  const Index ranks = json.member("ranks").index();
  if (ranks != n_ranks)
    json.fail("made for " + std::to_string(ranks) + " ranks, but there are " + std::to_string(n_ranks));

  Plan plan = empty_plan(graph, n_ranks);
  plan.axis = axis_of(json.member("axis"));
  // Plans of older versions do not have it.
  if (json.has_member(transfer_key))
    plan.transfer_type = static_cast<TransferType>(
        json.member(transfer_key).one_of({transfer_type_names.begin(), transfer_type_names.end()}));
  const std::vector<std::string> known = strategies();
  plan.strategy = known[json.member("strategy").one_of(known)];
  plan.predicted_us = json.member("predicted_ms").number() * 1000;
  for (const JsonReader& note : json.member("notes").elements()) plan.notes.push_back(note.text());
  std::vector<Plan> frames(is_cycle ? n_frames_of(json.member(frames_key)) : 1, plan);
  read_ops(json.member("operators"), graph, frames);
  try {
    for (Plan& frame : frames) place_constants(graph, frame);
    Plan all = cycle_plan(std::move(frames), plan.strategy);
    all.predicted_us = plan.predicted_us;
    check(graph, all, n_ranks);
    return all;
  } catch (const InvalidInput& error) {
    throw InvalidInput(where + ": " + error.what());
  }
}

}  // namespace strake::partition
