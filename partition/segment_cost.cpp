// SPDX-License-Identifier: Apache-2.0
#include "partition/segment_cost.hpp"

#include <algorithm>
#include <map>

namespace strake::partition {

namespace {

// Keeps a step of planning within some ten milliseconds; exact for 430 rows on 4 ranks and 230 on 16.
constexpr double most_look_ups = 450'000;

// As `strake::transfers` chooses: the nearest by number, the lower of two; `dst` itself if nobody has the row. [row]
std::vector<int> sources_of(int dst, std::span<const Interval> produced, Index n_rows) {
  const int n_ranks = static_cast<int>(produced.size());
  std::vector<int> sources(at(n_rows), dst);
  for (int distance = n_ranks - 1; distance >= 0; --distance)
    for (const int src : {dst + distance, dst - distance})
      if (src >= 0 && src < n_ranks && !produced[at(src)].empty())
        std::fill(sources.begin() + produced[at(src)].begin, sources.begin() + produced[at(src)].end, src);
  return sources;
}

Interval scaled_row(Index row, Index n_rows, Index of_rows) {
  return {row * n_rows / of_rows, (row + 1) * n_rows / of_rows};
}

}  // namespace

FetchCost::FetchCost(const CostModel& costs, OpId id, int dst, std::span<const Interval> produced, Interval held,
                     Index n_rows, double row_bytes)
    : held_(held), bytes_us_{0} {
  bytes_us_.reserve(at(n_rows) + 1);
  begun_us_.reserve(at(n_rows));
  latency_us_.reserve(at(n_rows));
  int before = -1;
  double begun = 0;
  Link link;
  for (const int src : sources_of(dst, produced, n_rows)) {
    if (src != before) {
      link = src == dst ? Link{} : costs.link(src, dst, id);
      begun += link.latency_us;
      before = src;
    }
    bytes_us_.push_back(bytes_us_.back() + row_bytes * link.us_per_byte);
    begun_us_.push_back(begun);
    latency_us_.push_back(link.latency_us);
  }
}

double FetchCost::us(Interval need) const {
  if (need.empty()) return 0;
  if (held_.empty()) return fetch_us(need);
  return fetch_us({need.begin, std::min(need.end, held_.begin)}) +
         fetch_us({std::max(need.begin, held_.end), need.end});
}

double FetchCost::fetch_us(Interval rows) const {
  if (rows.empty()) return 0;
  const std::size_t first = at(rows.begin);
  return bytes_us_[at(rows.end)] - bytes_us_[first] + latency_us_[first] + begun_us_[at(rows.end - 1)] -
         begun_us_[first];
}

SegmentCost::SegmentCost(const StripModel& model, std::vector<int> order, std::vector<OpId> ops,
                         const Holdings& holdings, TransferCosts transfers)
    : model_(model),
      order_(std::move(order)),
      segment_{.ops = std::move(ops), .cuts = {}},
      n_rows_(model.op(segment_.ops.back()).n_rows) {
  std::map<OpId, std::vector<Interval>> of_row;  // of operators and sources, for rows of the last operator
  std::map<OpId, double> shares;
  for (auto id = segment_.ops.rbegin(); id != segment_.ops.rend(); ++id) {
    std::vector<Interval>& rows = of_row[*id];
    rows.resize(at(n_rows_));
    if (is_read_outside(model, segment_, *id))
      for (Index row = 0; row < n_rows_; ++row)
        rows[at(row)] = hull(rows[at(row)], scaled_row(row, model.op(*id).n_rows, n_rows_));
    for (const StripInput& input : model.op(*id).inputs) {
      std::vector<Interval>& read = of_row[input.src];
      read.resize(at(n_rows_));
      for (Index row = 0; row < n_rows_; ++row) read[at(row)] = hull(read[at(row)], input.rows.read_by(rows[at(row)]));
      shares[input.src] = std::max(shares[input.src], input.share);
    }
  }
  for (auto& [id, rows] : of_row) {
    if (std::binary_search(segment_.ops.begin(), segment_.ops.end(), id))
      layers_.push_back({id, RowMap(std::move(rows)),
                         model.op(id).is_output && transfers == TransferCosts::counted ? model.op(id).row_bytes : 0});
    else if (transfers == TransferCosts::counted)
      add_source(id, RowMap(std::move(rows)), holdings, shares[id]);
  }
}

void SegmentCost::add_source(OpId id, RowMap rows, const Holdings& holdings, double share) {
  const StripOp& op = model_.op(id);
  Source source{.rows = std::move(rows), .cost = {}};
  source.cost.reserve(order_.size());
  for (const int rank : order_)
    source.cost.emplace_back(model_.costs(), id, rank, holdings.produced[at(id)], holdings.held[at(id)][at(rank)],
                             op.n_rows, op.row_bytes * share);
  sources_.push_back(std::move(source));
}

// Transfers never fall with rows, so that they are the same in both sums.
template <class LayerUs>
double SegmentCost::sum_us(int position, Interval rows, LayerUs layer_us) const {
  const int rank = order_[at(position)];
  double us = 0;
  for (const Layer& layer : layers_) {
    const Interval mine = layer.rows.read_by(rows);
    us += layer_us(rank, layer.id, mine);
    if (layer.output_row_bytes > 0)
      us += model_.costs().transfer_us(rank, 0, layer.id, layer.output_row_bytes * static_cast<double>(mine.size()));
  }
  for (const Source& source : sources_) us += source.cost[at(position)].us(source.rows.read_by(rows));
  return us;
}

double SegmentCost::us(int position, Index begin, Index end) const {
  return sum_us(position, {begin, end},
                [this](int rank, OpId id, Interval rows) { return model_.compute_us(rank, id, rows); });
}

double SegmentCost::least_us(int position, Index begin, Index end) const {
  return sum_us(position, {begin, end},
                [this](int rank, OpId id, Interval rows) { return model_.least_us(rank, id, rows); });
}

Division SegmentCost::divide() const {
  const auto cost = [this](int position, Index begin, Index end) { return us(position, begin, end); };
  const auto at_least = [this](int position, Index begin, Index end) { return least_us(position, begin, end); };
  return oodp(static_cast<int>(order_.size()), n_rows_, cost, at_least,
              most_look_ups / static_cast<double>(layers_.size() + sources_.size()));
}

Division SegmentCost::price(std::vector<Index> cuts) const {
  Division division{.cuts = std::move(cuts)};
  for (int position = 0; position < static_cast<int>(order_.size()); ++position) {
    const Interval rows{division.cuts[at(position)], division.cuts[at(position) + 1]};
    if (rows.empty()) continue;
    const double cost = us(position, rows.begin, rows.end);
    division.makespan_us = std::max(division.makespan_us, cost);
    division.busy_us += cost;
    ++division.n_used;
  }
  return division;
}

}  // namespace strake::partition
