// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "partition/strategies/cuts.hpp"
#include "partition/strategies/strategies.hpp"

namespace strake::partition {

namespace {

constexpr double unreached = std::numeric_limits<double>::infinity();

/// Stages between frontiers, each on one rank, ranks in ascending order. Operators that cannot be cut and belong
/// together count where the last of them stands.
class Stages {
 public:
  explicit Stages(const StripModel& model) : model_(model), n_ranks_(at(model.n_ranks())) {
    for (const Frontier& frontier : model.frontiers()) ends_.push_back(frontier.op + 1);
    // What no strip waits for.
    if (ends_.empty() || ends_.back() < model.size()) ends_.push_back(model.size());
    find_places();
    find_loads();
    find();
  }

  /// [op]: its rank.
  [[nodiscard]] std::vector<std::size_t> ranks() const {
    std::size_t end = ends_.size();
    std::size_t rank = 0;
    for (std::size_t other = 1; other < n_ranks_; ++other)
      if (reached_[end][other].us < reached_[end][rank].us) rank = other;
    std::vector<std::size_t> at_place(at(model_.size()));
    while (end > 0) {
      const Step& step = reached_[end][rank];
      std::fill(at_place.begin() + begin_of(step.begin), at_place.begin() + ends_[end - 1], rank);
      end = step.begin;
      rank = step.before;
    }
    std::vector<std::size_t> ranks;
    for (const OpId place : places_) ranks.push_back(at_place[at(place)]);
    return ranks;
  }

 private:
  // The fastest way to have placed everything up to some frontier, with the last stage on some rank.
  struct Step {
    double us = unreached;   // of its slowest stage
    std::size_t begin = 0;   // frontier, from 1, where the last stage begins; 0 is the beginning
    std::size_t before = 0;  // rank of the stage before it
  };

  [[nodiscard]] OpId begin_of(std::size_t frontier) const { return frontier == 0 ? 0 : ends_[frontier - 1]; }

  // Sums over all operators with places before each one.
  using Sums = std::vector<double>;

  [[nodiscard]] static Sums sums_of(const std::vector<double>& at_place) {
    Sums sums = {0};
    for (const double one : at_place) sums.push_back(sums.back() + one);
    return sums;
  }

  [[nodiscard]] static double within(const Sums& sums, OpId begin, OpId end) { return sums[at(end)] - sums[at(begin)]; }

  [[nodiscard]] double bytes_of(OpId id) const {
    return model_.op(id).sent_row_bytes * static_cast<double>(model_.op(id).n_rows);
  }

  void find_places() {
    std::vector<OpId> last(at(model_.n_groups()));
    for (OpId id = 0; id < model_.size(); ++id)
      if (model_.op(id).kind == StripKind::whole) last[at(model_.op(id).group)] = id;
    for (OpId id = 0; id < model_.size(); ++id)
      places_.push_back(model_.op(id).kind == StripKind::whole ? last[at(model_.op(id).group)] : id);
  }

  [[nodiscard]] OpId first_reader(OpId id) const {
    OpId first = model_.size();
    for (const Reader& reader : model_.op(id).readers) first = std::min(first, places_[at(reader.op)]);
    return first;
  }

  [[nodiscard]] OpId last_reader(OpId id) const {
    OpId last = -1;
    for (const Reader& reader : model_.op(id).readers) last = std::max(last, places_[at(reader.op)]);
    return last;
  }

  void find_loads() {
    const std::size_t n = at(model_.size());
    for (std::size_t rank = 0; rank < n_ranks_; ++rank) {
      std::vector<double> us(n);
      for (OpId id = 0; id < model_.size(); ++id)
        us[at(places_[at(id)])] += model_.compute_us(static_cast<int>(rank), id, {0, model_.op(id).n_rows});
      compute_us_.push_back(sums_of(us));
    }
    std::vector<double> inputs(n);
    std::vector<double> outputs(n);
    crossing_bytes_.resize(n + 1);
    for (OpId id = 0; id < model_.size(); ++id) {
      const StripOp& op = model_.op(id);
      if (op.is_output) outputs[at(places_[at(id)])] += bytes_of(id);
      const bool is_input = op.kind == StripKind::input;
      if (is_input && first_reader(id) < model_.size()) inputs[at(first_reader(id))] += bytes_of(id);
      if (!is_input)
        for (OpId place = places_[at(id)] + 1; place <= last_reader(id); ++place)
          crossing_bytes_[at(place)] += bytes_of(id);
    }
    input_bytes_ = sums_of(inputs);
    output_bytes_ = sums_of(outputs);
  }

  void find() {
    reached_.assign(ends_.size() + 1, std::vector<Step>(n_ranks_));
    for (std::size_t end = 1; end <= ends_.size(); ++end)
      for (std::size_t rank = 0; rank < n_ranks_; ++rank)
        for (std::size_t begin = 0; begin < end; ++begin) consider(begin, end, rank);
  }

  void consider(std::size_t begin, std::size_t end, std::size_t rank) {
    const OpId first = begin_of(begin);
    const OpId last = ends_[end - 1];
    const auto transfer = [&](std::size_t src, std::size_t dst, double bytes) {
      return model_.costs().transfer_us(static_cast<int>(src), static_cast<int>(dst), bytes);
    };
    // The user's tensors come from rank 0 and go there.
    const double own = within(compute_us_[rank], first, last) + transfer(0, rank, within(input_bytes_, first, last)) +
                       transfer(rank, 0, within(output_bytes_, first, last));
    Step& best = reached_[end][rank];
    if (begin == 0) {
      if (own < best.us) best = {own, 0, rank};
      return;
    }
    for (std::size_t before = 0; before < rank; ++before) {
      const double us = std::max(reached_[begin][before].us, own + transfer(before, rank, crossing_bytes_[at(first)]));
      if (us < best.us) best = {us, begin, before};
    }
  }

  const StripModel& model_;
  std::size_t n_ranks_;
  std::vector<OpId> ends_;                  // [frontier]: the first operator behind it
  std::vector<OpId> places_;                // [op]: where it counts
  std::vector<Sums> compute_us_;            // [rank][place]
  Sums input_bytes_;                        // [place]: where the user's inputs are first read
  Sums output_bytes_;                       // [place]: of what the user gets
  std::vector<double> crossing_bytes_;      // [place]: made before it and read from it on
  std::vector<std::vector<Step>> reached_;  // [frontier, from 1][rank]
};

}  // namespace

StripPlan plan_pipeline(const StripModel& model) {
  const std::vector<std::size_t> ranks = Stages(model).ranks();
  const std::vector<int> all = all_ranks(model.n_ranks());
  StripPlan plan = empty_strip_plan(model, all);
  for (OpId id = 0; id < model.size(); ++id) {
    const StripOp& op = model.op(id);
    if (op.kind == StripKind::cut) plan.segments.push_back({{id}, cuts_for(op.n_rows, ranks[at(id)], all.size())});
    if (op.kind == StripKind::whole) plan.home[at(op.group)] = static_cast<int>(ranks[at(id)]);
  }
  return plan;
}

}  // namespace strake::partition
