// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <nlohmann/json.hpp>

#include "core/errors.hpp"
#include "partition/json_reader.hpp"
#include "partition/plan_json.hpp"

namespace strake::partition {

namespace {

using nlohmann::ordered_json;

ordered_json to_json(const std::vector<OpCost>& costs) {
  ordered_json ops = ordered_json::array();
  for (const OpCost& cost : costs) ops.push_back({{"extents", cost.extents}, {"microseconds", cost.microseconds}});
  return ops;
}

ordered_json to_json(const RankProfile& rank) {
  return {{"host", rank.host},
          {"threads", rank.threads},
          {"whole_us", rank.whole_us},
          {"jitter_us", rank.jitter_us},
          {"copy_us_per_byte", rank.copy_us_per_byte},
          {"baseline_bytes", rank.baseline_bytes},
          {"ops", to_json(rank.ops)},
          {"channels", to_json(rank.channels)}};
}

OpCost op_cost_of(const JsonReader& json) {
  OpCost cost;
  for (const JsonReader& extent : json.member("extents").elements()) {
    if (extent.index() <= (cost.extents.empty() ? 0 : cost.extents.back()))
      extent.fail("expected ascending numbers above 0");
    cost.extents.push_back(extent.index());
  }
  for (const JsonReader& us : json.member("microseconds").elements(cost.extents.size()))
    cost.microseconds.push_back(us.number());
  return cost;
}

RankProfile rank_of(const JsonReader& json) {
  RankProfile rank;
  rank.host = json.member("host").text();
  const Index threads = json.member("threads").index();
  if (threads < 1 || threads > std::numeric_limits<int>::max()) json.fail("expected one thread or more");
  rank.threads = static_cast<int>(threads);
  rank.whole_us = json.member("whole_us").number();
  rank.jitter_us = json.member("jitter_us").number();
  rank.copy_us_per_byte = json.member("copy_us_per_byte").number();
  rank.baseline_bytes = json.member("baseline_bytes").number();
  for (const JsonReader& op : json.member("ops").elements()) {
    rank.ops.push_back(op_cost_of(op));
    if (rank.ops.back().extents.empty()) op.fail("expected at least one extent");
  }
  for (const JsonReader& op : json.member("channels").elements()) rank.channels.push_back(op_cost_of(op));
  return rank;
}

}  // namespace

std::string profile_to_json(const Profile& profile) {
  ordered_json ranks = ordered_json::array();
  for (const RankProfile& rank : profile.ranks) ranks.push_back(to_json(rank));
  ordered_json links = ordered_json::array();
  for (const std::vector<Link>& row : profile.links) {
    ordered_json from = ordered_json::array();
    for (const Link& link : row)
      from.push_back({{"latency_us", link.latency_us},
                      {"us_per_byte", link.us_per_byte},
                      {"overhead_us", link.overhead_us},
                      {"overhead_us_per_byte", link.overhead_us_per_byte}});
    links.push_back(std::move(from));
  }
  const ordered_json json = {{"strake_profile", 1},
                             {"model", profile.model},
                             {"axis", axis_name(profile.axis)},
                             {"medium", profile.medium == Medium::shared ? "shared" : "switched"},
                             {"links", std::move(links)},
                             {"ranks", std::move(ranks)}};
  return write_json(json, "ranks");
}

Profile profile_from_json(const std::string& text, const std::string& where) {
  const nlohmann::json parsed = parse_json(text, where);
  // As it is, or as the verb `profile` writes it beside the model's name.
  const bool inside = parsed.is_object() && parsed.contains("profile");
  const JsonReader json(inside ? parsed["profile"] : parsed, where);
  json.member("strake_profile").must_be(1);
  Profile profile;
  profile.model = json.member("model").text();
  profile.axis = axis_of(json.member("axis"));
  profile.medium = static_cast<Medium>(json.member("medium").one_of({"switched", "shared"}));
  for (const JsonReader& rank : json.member("ranks").elements()) profile.ranks.push_back(rank_of(rank));
  if (profile.ranks.empty()) json.fail("expected at least one rank");
  for (const JsonReader& row : json.member("links").elements(profile.ranks.size())) {
    std::vector<Link>& from = profile.links.emplace_back();
    for (const JsonReader& link : row.elements(profile.ranks.size()))
      from.push_back({.latency_us = link.member("latency_us").number(),
                      .us_per_byte = link.member("us_per_byte").number(),
                      .overhead_us = link.member("overhead_us").number(),
                      .overhead_us_per_byte = link.member("overhead_us_per_byte").number()});
  }
  return profile;
}

}  // namespace strake::partition
