// SPDX-License-Identifier: Apache-2.0
#include "partition/cost_model.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "core/errors.hpp"
#include "core/view.hpp"

namespace strake::partition {

namespace {

bool is_free(const Op& op) { return as<Input>(op) != nullptr || as<Constant>(op) != nullptr; }

void require(bool holds, const std::string& message) {
  if (!holds) throw InvalidInput("profile: " + message);
}

// A day, beyond which sums and differences of times mean nothing any more.
constexpr double longest_us = 86'400e6;

bool is_time(double us) { return us >= 0 && us <= longest_us; }

void check_op(const OpCost& cost, const std::string& where) {
  require(!cost.extents.empty() && cost.extents.size() == cost.microseconds.size(),
          where + ": expected as many times as extents and at least one, got " +
              std::to_string(cost.microseconds.size()) + " and " + std::to_string(cost.extents.size()));
  require(cost.extents.front() >= 1, where + ": expected extents above 0, got " + std::to_string(cost.extents.front()));
  for (std::size_t i = 1; i < cost.extents.size(); ++i)
    require(cost.extents[i - 1] < cost.extents[i], where + ": expected ascending extents");
  require(std::all_of(cost.microseconds.begin(), cost.microseconds.end(), is_time),
          where + ": expected times from 0 to a day");
}

}  // namespace

void check_profile(const Graph& graph, const Profile& profile) {
  require(profile.n_ranks() >= 1, "expected at least one rank");
  require(profile.model.empty() || profile.model == fingerprint(graph),
          "measured for model " + profile.model + ", but this is model " + fingerprint(graph));
  require(profile.links.size() == profile.ranks.size(), "expected links from " + std::to_string(profile.ranks.size()) +
                                                            " ranks, got " + std::to_string(profile.links.size()));
  for (std::size_t rank = 0; rank < profile.ranks.size(); ++rank) {
    const std::string where = "rank " + std::to_string(rank);
    require(profile.links[rank].size() == profile.ranks.size(),
            where + ": expected links to " + std::to_string(profile.ranks.size()) + " ranks, got " +
                std::to_string(profile.links[rank].size()));
    for (const Link& link : profile.links[rank])
      require(is_time(link.latency_us) && is_time(link.us_per_byte) && is_time(link.overhead_us) &&
                  is_time(link.overhead_us_per_byte),
              where + ": expected link times from 0 to a day");
    require(is_time(profile.ranks[rank].encode_us_per_byte) && is_time(profile.ranks[rank].decode_us_per_byte),
            where + ": expected times of rounding from 0 to a day");
    const std::vector<OpCost>& ops = profile.ranks[rank].ops;
    require(ops.size() == graph.ops.size(), where + ": expected costs of " + std::to_string(graph.ops.size()) +
                                                " operators, got " + std::to_string(ops.size()));
    require(is_time(profile.ranks[rank].jitter_us), where + ": expected a jitter from 0 to a day");
    require(is_time(profile.ranks[rank].whole_us), where + ": expected a time of the whole model from 0 to a day");
    const std::vector<OpCost>& channels = profile.ranks[rank].channels;
    require(channels.empty() || channels.size() == ops.size(), where + ": expected costs by channels of " +
                                                                   std::to_string(ops.size()) + " operators, got " +
                                                                   std::to_string(channels.size()));
    for (OpId id = 0; id < graph.size(); ++id) {
      const std::string name = where + ", operator '" + graph.op(id).name + "'";
      if (!is_free(graph.op(id))) check_op(ops[at(id)], name);
      if (channels.empty() || channels[at(id)].extents.empty()) continue;
      check_op(channels[at(id)], name + " by channels");
      require(graph.shape(id).size() > 1 && channels[at(id)].extents.back() == graph.shape(id)[1],
              name + " by channels: expected that the last has all channels");
      require(channels[at(id)].microseconds.back() > 0, name + " by channels: expected that all of them take time");
    }
  }
}

namespace {

// Linear between measured extents, proportional below the smallest.
double interpolated_us(const OpCost& cost, Index extent) {
  const auto above = std::lower_bound(cost.extents.begin(), cost.extents.end(), extent);
  const auto i = static_cast<std::size_t>(above - cost.extents.begin());
  const auto x = static_cast<double>(extent);
  if (i == 0 || i == cost.extents.size()) {
    const std::size_t end = i == 0 ? 0 : i - 1;
    return cost.microseconds[end] * x / static_cast<double>(cost.extents[end]);
  }
  const auto x0 = static_cast<double>(cost.extents[i - 1]);
  const auto x1 = static_cast<double>(cost.extents[i]);
  const double weight = (x - x0) / (x1 - x0);
  return cost.microseconds[i - 1] * (1 - weight) + cost.microseconds[i] * weight;
}

// [rank]
std::vector<HostPort> ports_of(const Profile& profile) {
  const auto faster = [](double a, double b) { return a == 0 ? b : std::min(a, b); };
  std::map<std::string, HostPort> hosts;
  for (const RankProfile& rank : profile.ranks)
    hosts.try_emplace(rank.host, HostPort{.host = static_cast<int>(hosts.size())});
  for (std::size_t src = 0; src < profile.ranks.size(); ++src)
    for (std::size_t dst = 0; dst < profile.ranks.size(); ++dst) {
      if (profile.ranks[src].host == profile.ranks[dst].host) continue;
      HostPort& out = hosts.at(profile.ranks[src].host);
      HostPort& in = hosts.at(profile.ranks[dst].host);
      out.out_us_per_byte = faster(out.out_us_per_byte, profile.links[src][dst].us_per_byte);
      in.in_us_per_byte = faster(in.in_us_per_byte, profile.links[src][dst].us_per_byte);
    }
  std::vector<HostPort> ports;
  for (const RankProfile& rank : profile.ranks) ports.push_back(hosts.at(rank.host));
  return ports;
}

}  // namespace

CostModel::CostModel(const Graph& graph, Profile profile)
    : graph_(&graph),
      profile_(std::move(profile)),
      strip_axes_(strip_axes(graph, profile_.axis)),
      factors_(profile_.ranks.size(), 1.0) {
  check_profile(graph, profile_);
  ports_ = ports_of(profile_);
}

double CostModel::compute_us(int rank, OpId id, Index extent) const {
  if (extent <= 0 || is_free(graph_->op(id))) return 0;
  return interpolated_us(profile_.ranks[at(rank)].ops[at(id)], extent) * factors_[at(rank)];
}

double CostModel::compute_us(int rank, OpId id, const Box& box) const {
  if (box.empty()) return 0;
  const Shape& shape = graph_->shape(id);
  const int axis = strip_axis(id);
  double us = compute_us(rank, id, axis < 0 ? 1 : box[at(axis)].size());
  // What the box leaves out on other axes, it does not compute.
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (static_cast<int>(i) != axis && box[i].size() < shape[i])
      us *= i == 1 ? channel_share(rank, id, box[i].size())
                   : static_cast<double>(box[i].size()) / static_cast<double>(shape[i]);
  return us;
}

double CostModel::channel_share(int rank, OpId id, Index channels) const {
  const std::vector<OpCost>& costs = profile_.ranks[at(rank)].channels;
  if (costs.empty() || costs[at(id)].extents.empty())
    return static_cast<double>(channels) / static_cast<double>(graph_->shape(id)[1]);
  return interpolated_us(costs[at(id)], channels) / costs[at(id)].microseconds.back();
}

double CostModel::least_whole_us(int rank, OpId id) const {
  if (is_free(graph_->op(id))) return 0;
  // What is interpolated costs no less per row than the cheaper of the measured extents around it.
  const auto least_of_one = [](const OpCost& cost) {
    double least = cost.microseconds.front() / static_cast<double>(cost.extents.front());
    for (std::size_t i = 1; i < cost.extents.size(); ++i)
      least = std::min(least, cost.microseconds[i] / static_cast<double>(cost.extents[i]));
    return least;
  };
  const Shape& shape = graph_->shape(id);
  const int axis = strip_axis(id);
  const double extent = axis < 0 ? 1 : static_cast<double>(shape[at(axis)]);
  const double us = least_of_one(profile_.ranks[at(rank)].ops[at(id)]) * extent * factors_[at(rank)];
  const std::vector<OpCost>& channels = profile_.ranks[at(rank)].channels;
  if (axis == 1 || channels.empty() || channels[at(id)].extents.empty()) return us;
  return us * least_of_one(channels[at(id)]) * static_cast<double>(shape[1]) / channels[at(id)].microseconds.back();
}

Travel CostModel::travel(int src, int dst, OpId id) const {
  const TransferType type = travels_as(graph_->op(id), profile_.transfer_type);
  if (src == dst || type == TransferType::f32 || profile_.links[at(src)][at(dst)].same_host) return {};
  return {.type = type,
          .share = static_cast<double>(size_of(type)) / static_cast<double>(size_of(TransferType::f32)),
          .encode_us_per_byte = profile_.ranks[at(src)].encode_us_per_byte,
          .decode_us_per_byte = profile_.ranks[at(dst)].decode_us_per_byte};
}

Link CostModel::link(int src, int dst, OpId id) const {
  const Travel travel = this->travel(src, dst, id);
  Link link = profile_.links[at(src)][at(dst)];
  link.us_per_byte = link.us_per_byte * travel.share + travel.encode_us_per_byte + travel.decode_us_per_byte;
  link.overhead_us_per_byte = link.overhead_us_per_byte * travel.share + travel.encode_us_per_byte;
  return link;
}

namespace {

double message_us(const Link& link, double bytes) {
  return bytes <= 0 ? 0 : link.latency_us + bytes * link.us_per_byte;
}

}  // namespace

double CostModel::transfer_us(int src, int dst, double bytes) const {
  return src == dst ? 0 : message_us(profile_.links[at(src)][at(dst)], bytes);
}

double CostModel::transfer_us(int src, int dst, OpId id, double bytes) const {
  return src == dst ? 0 : message_us(link(src, dst, id), bytes);
}

double CostModel::sent_bytes(const Transfer& transfer, OpId id) const {
  const TransferType type = travel(transfer.src, transfer.dst, id).type;
  return static_cast<double>(type == TransferType::f32 ? dense_bytes(transfer.box, graph_->op(id).type)
                                                       : travelling_bytes(transfer.box, type));
}

void CostModel::set_factor(int rank, double factor) { factors_[at(rank)] = factor; }

}  // namespace strake::partition
