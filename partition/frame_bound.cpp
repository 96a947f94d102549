// SPDX-License-Identifier: Apache-2.0
#include "partition/frame_bound.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/view.hpp"
#include "partition/frame_clock.hpp"
#include "partition/matrix_game.hpp"
#include "partition/min_cut.hpp"
#include "partition/needed_cells.hpp"

namespace strake::partition {

namespace {

constexpr double no_limit = std::numeric_limits<double>::infinity();

// Sets of ranks that are told apart by how far away they are.
constexpr std::size_t most_sets = 4;
// The bound holds whenever it stops; it is within this of the best that the relaxation gives, or that good.
constexpr double close_enough = 1e-6;
constexpr int most_rounds = 60;
// For what floating point loses in sums of thousands of terms.
constexpr double sum_rounding = 1e-9;

/// Latencies from rank 0 to each rank and back, by whatever way is fastest. [rank]
std::vector<double> round_trips_us(const CostModel& costs) {
  const int n = costs.n_ranks();
  const auto shortest = [&](bool from_root) {
    std::vector<double> us(at(n), no_limit);
    us.front() = 0;
    for (int round = 1; round < n; ++round)
      for (int a = 0; a < n; ++a)
        for (int b = 0; b < n; ++b) {
          const Link& link = from_root ? costs.profile().links[at(a)][at(b)] : costs.profile().links[at(b)][at(a)];
          us[at(b)] = std::min(us[at(b)], us[at(a)] + link.latency_us);
        }
    return us;
  };
  std::vector<double> there = shortest(true);
  const std::vector<double> back = shortest(false);
  for (std::size_t rank = 0; rank < there.size(); ++rank) there[rank] += back[rank];
  return there;
}

/// The relaxation for the ranks of one set, rank 0 among them, all of which take part.
///
/// Each constraint says that a frame takes at least a constant and a load: the clock of each rank, the links out of
/// rank 0, those into it. For any weights of the constraints, which add up to 1, the least weighted sum over all ways
/// to share the work is a bound; that least sum is a minimum cut.
class Relaxation {
 public:
  Relaxation(const CostModel& costs, const NeededCells& cells, std::vector<int> others,
             const std::vector<double>& round_trips)
      : costs_(costs), cells_(cells), others_(std::move(others)) {
    constants_.push_back(0);
    for (const int rank : others_) constants_.push_back(round_trips[at(rank)]);
    if (others_.empty()) return;
    first_overhead_us_ = no_limit;
    root_us_per_byte_ = no_limit;
    for (const int rank : others_) {
      const Link out = link(0, rank);
      first_overhead_us_ = std::min(first_overhead_us_, out.overhead_us);
      root_us_per_byte_ = std::min(root_us_per_byte_, out.overhead_us_per_byte);
    }
    constants_.front() = first_overhead_us_;
    if (shared()) {
      out_row_ = in_row_ = add_links(medium_rate(), out_us_per_byte_);
      in_us_per_byte_ = out_us_per_byte_;
      return;
    }
    out_row_ = add_links(out_rate(), out_us_per_byte_);
    in_row_ = add_links(in_rate(), in_us_per_byte_);
  }

  double solve() {
    std::vector<double> weights = first_weights();
    std::vector<std::vector<double>> columns;
    double best = 0;
    for (int round = 0; round < most_rounds; ++round) {
      std::vector<double> loads;
      best = std::max(best, price(weights, loads));
      columns.push_back(std::move(loads));
      const GameSolution game = solve_game(columns);
      if (game.value <= best * (1 + close_enough)) break;
      weights = game.weights;
    }
    return best;
  }

 private:
  // Of time per byte, with as few bytes as any tensor may travel in.
  [[nodiscard]] double of_type(double us_per_byte) const {
    return us_per_byte * static_cast<double>(size_of(costs_.profile().transfer_type)) /
           static_cast<double>(size_of(TransferType::f32));
  }
  [[nodiscard]] Link link(int src, int dst) const {
    Link link = costs_.profile().links[at(src)][at(dst)];
    link.us_per_byte = of_type(link.us_per_byte);
    link.overhead_us_per_byte = of_type(link.overhead_us_per_byte);
    return link;
  }
  [[nodiscard]] OpId size() const { return costs_.graph().size(); }
  [[nodiscard]] double bytes_of(OpId id) const {
    return static_cast<double>(dense_bytes(whole(costs_.graph().shape(id)), costs_.graph().op(id).type));
  }

  [[nodiscard]] bool shared() const { return costs_.profile().medium == Medium::shared; }
  [[nodiscard]] bool on_root_host(int rank) const { return costs_.host_port(rank).host == costs_.host_port(0).host; }

  // Bytes per microsecond on links between rank 0 and other ranks of its host, one way.
  template <class LinkOf>
  [[nodiscard]] double rate_on_host(const LinkOf& link_of) const {
    double rate = 0;
    for (const int rank : others_)
      if (on_root_host(rank)) rate += 1 / link_of(rank).us_per_byte;
    return rate;
  }

  // That leave rank 0 at most: also through the port of its host, and on links so slow that the port takes no notice of
  // them.
  [[nodiscard]] double out_rate() const {
    const double port = of_type(costs_.host_port(0).out_us_per_byte);
    double rate = rate_on_host([this](int rank) { return link(0, rank); });
    double through_port = 0;
    for (const int rank : others_) {
      if (on_root_host(rank)) continue;
      const double us = link(0, rank).us_per_byte;
      (us < FrameClock::slow_link * port ? through_port : rate) += 1 / us;
    }
    return rate + std::min(through_port, 1 / port);
  }

  // And that arrive at rank 0.
  [[nodiscard]] double in_rate() const {
    double through_port = 0;
    for (const int rank : others_)
      if (!on_root_host(rank)) through_port += 1 / link(rank, 0).us_per_byte;
    return rate_on_host([this](int rank) { return link(rank, 0); }) +
           std::min(through_port, 1 / of_type(costs_.host_port(0).in_us_per_byte));
  }

  // Both together on a shared medium.
  [[nodiscard]] double medium_rate() const {
    const HostPort& port = costs_.host_port(0);
    return rate_on_host([this](int rank) { return link(0, rank); }) +
           rate_on_host([this](int rank) { return link(rank, 0); }) +
           1 / of_type(std::min(port.out_us_per_byte, port.in_us_per_byte));
  }

  // A constraint of all that moves in one direction together; none where it takes no time.
  std::optional<std::size_t> add_links(double rate, double& us_per_byte) {
    if (!(rate < no_limit)) return std::nullopt;
    us_per_byte = 1 / rate;
    constants_.push_back(*std::min_element(constants_.begin() + 1, constants_.begin() + 1 + others_count()));
    return constants_.size() - 1;
  }
  [[nodiscard]] std::ptrdiff_t others_count() const { return static_cast<std::ptrdiff_t>(others_.size()); }

  // As if all ranks shared everything by speed and links were free.
  [[nodiscard]] std::vector<double> first_weights() const {
    std::vector<double> weights(constants_.size());
    double sum = 0;
    for (std::size_t i = 0; i <= others_.size(); ++i) {
      double us = 0;
      for (OpId id = 0; id < size(); ++id)
        us += cells_.share[at(id)] * costs_.least_whole_us(i == 0 ? 0 : others_[i - 1], id);
      weights[i] = us > 0 ? 1 / us : 0;
      sum += weights[i];
    }
    for (double& weight : weights) weight = sum > 0 ? weight / sum : 1 / static_cast<double>(weights.size());
    return weights;
  }

  // What all that is on one side of the cut pays for a byte.
  struct Prices {
    double out = 0;          // of rank 0
    double in = 0;           // of rank 0
    std::size_t sender = 0;  // who sends to rank 0 most cheaply, as a row
    double sender_us_per_byte = 0;
  };

  [[nodiscard]] Prices prices_of(const std::vector<double>& weights) const {
    Prices prices{.out = weights.front() * root_us_per_byte_, .in = no_limit};
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const Link back = link(others_[i], 0);
      // The last message to leave keeps its sender no longer, but takes its time under way.
      const double us = std::min(back.overhead_us_per_byte, back.us_per_byte);
      if (weights[i + 1] * us >= prices.in) continue;
      prices.in = weights[i + 1] * us;
      prices.sender = i + 1;
      prices.sender_us_per_byte = us;
    }
    if (out_row_) prices.out += weights[*out_row_] * out_us_per_byte_;
    if (in_row_) prices.in += weights[*in_row_] * in_us_per_byte_;
    return prices;
  }

  // Nodes of an operator. On the source's side is what is not on rank 0 ...
  [[nodiscard]] static int away(OpId id) { return 4 * id + 2; }       // rank 0 has not computed it
  [[nodiscard]] static int others(OpId id) { return 4 * id + 3; }     // the others have computed it
  [[nodiscard]] static int to_others(OpId id) { return 4 * id + 4; }  // the others have it for their operators
  [[nodiscard]] static int not_read(OpId id) { return 4 * id + 5; }   // rank 0 does not have it for its operators
  static constexpr int source = 0;
  static constexpr int sink = 1;

  [[nodiscard]] bool is_input(OpId id) const { return as<Input>(costs_.graph().op(id)) != nullptr; }
  [[nodiscard]] bool travels(OpId id) const { return cells_.share[at(id)] == 1; }

  // The bound under these weights, and the loads of the constraints where it is reached.
  double price(const std::vector<double>& weights, std::vector<double>& loads) const {
    loads = constants_;
    double us = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) us += weights[i] * constants_[i];
    if (others_.empty()) {
      for (OpId id = 0; id < size(); ++id) loads.front() += cells_.share[at(id)] * costs_.least_whole_us(0, id);
      return loads.front() * (1 - sum_rounding);
    }
    const Prices prices = prices_of(weights);
    MinCut cut(4 * size() + 2);
    std::vector<std::size_t> cheapest(at(size()));  // row of whoever computes an operator most cheaply
    for (OpId id = 0; id < size(); ++id) add_work(cut, id, weights, cheapest[at(id)]);
    for (OpId id = 0; id < size(); ++id) {
      if (!travels(id)) continue;
      cut.add_edge(to_others(id), others(id), prices.out * bytes_of(id));
      cut.add_edge(away(id), not_read(id), prices.in * bytes_of(id));
    }
    for (const EvenEdge& edge : cells_.edges) {
      cut.add_edge(others(edge.reader), to_others(edge.src), MinCut::unlimited);
      cut.add_edge(not_read(edge.src), away(edge.reader), MinCut::unlimited);
    }
    for (const Port& port : costs_.graph().outputs) cut.add_edge(not_read(port.op), sink, MinCut::unlimited);
    us += cut.solve(source, sink);
    add_loads(cut, prices, cheapest, loads);
    return us * (1 - sum_rounding);
  }

  void add_work(MinCut& cut, OpId id, const std::vector<double>& weights, std::size_t& cheapest) const {
    if (is_input(id)) {
      // Rank 0 has the inputs, and nobody else makes them.
      cut.add_edge(others(id), sink, MinCut::unlimited);
      cut.add_edge(away(id), sink, MinCut::unlimited);
      return;
    }
    double least = no_limit;
    for (std::size_t i = 0; i < others_.size(); ++i) {
      const double us = weights[i + 1] * costs_.least_whole_us(others_[i], id);
      if (us >= least) continue;
      least = us;
      cheapest = i + 1;
    }
    cut.add_edge(source, away(id), cells_.share[at(id)] * weights.front() * costs_.least_whole_us(0, id));
    cut.add_edge(away(id), others(id), MinCut::unlimited);
    cut.add_edge(others(id), sink, cells_.share[at(id)] * least);
  }

  void add_loads(const MinCut& cut, const Prices& prices, const std::vector<std::size_t>& cheapest,
                 std::vector<double>& loads) const {
    double out_bytes = 0;
    double in_bytes = 0;
    for (OpId id = 0; id < size(); ++id) {
      if (travels(id) && cut.with_source(to_others(id)) && !cut.with_source(others(id))) out_bytes += bytes_of(id);
      if (travels(id) && cut.with_source(away(id)) && !cut.with_source(not_read(id))) in_bytes += bytes_of(id);
      if (is_input(id)) continue;
      const double share = cells_.share[at(id)];
      if (!cut.with_source(away(id))) loads.front() += share * costs_.least_whole_us(0, id);
      if (cut.with_source(others(id)))
        loads[cheapest[at(id)]] += share * costs_.least_whole_us(others_[cheapest[at(id)] - 1], id);
    }
    loads.front() += root_us_per_byte_ * out_bytes;
    loads[prices.sender] += prices.sender_us_per_byte * in_bytes;
    if (out_row_) loads[*out_row_] += out_us_per_byte_ * out_bytes;
    if (in_row_) loads[*in_row_] += in_us_per_byte_ * in_bytes;
  }

  const CostModel& costs_;
  const NeededCells& cells_;
  std::vector<int> others_;
  std::vector<double> constants_;  // [constraint]: rank 0, `others_`, links out of rank 0, links into it
  std::optional<std::size_t> out_row_;
  std::optional<std::size_t> in_row_;
  double first_overhead_us_ = 0;
  double root_us_per_byte_ = 0;
  double out_us_per_byte_ = 0;
  double in_us_per_byte_ = 0;
};

}  // namespace

double frame_bound_us(const CostModel& costs) {
  const NeededCells cells = needed_cells(costs.graph());
  std::vector<double> round_trips = round_trips_us(costs);
  std::vector<double> distances(round_trips.begin() + 1, round_trips.end());
  std::sort(distances.begin(), distances.end());
  double bound = Relaxation(costs, cells, {}, round_trips).solve();
  // The nearest ranks, and those further away: whoever takes part does so from a round trip on.
  const std::size_t step = (distances.size() + most_sets - 1) / most_sets;
  for (std::size_t begin = 0; begin < distances.size(); begin += step) {
    const double nearest = distances[begin];
    const double furthest = distances[std::min(begin + step, distances.size()) - 1];
    std::vector<int> others;
    std::vector<double> at_least = round_trips;
    for (int rank = 1; rank < costs.n_ranks(); ++rank) {
      at_least[at(rank)] = std::min(at_least[at(rank)], nearest);
      if (round_trips[at(rank)] <= furthest) others.push_back(rank);
    }
    bound = std::min(bound, Relaxation(costs, cells, std::move(others), at_least).solve());
  }
  return bound;
}

}  // namespace strake::partition
