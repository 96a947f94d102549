// SPDX-License-Identifier: Apache-2.0
#include "engine/live_balance.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "comm/link_probe.hpp"
#include "comm/simulation.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"
#include "core/serialize.hpp"
#include "core/view.hpp"
#include "engine/session_messages.hpp"

namespace strake::engine {

namespace {

// Weights that travel between two frames; as many messages have tags.
constexpr std::size_t piece_bytes = std::size_t{4} << 20;
constexpr std::size_t most_weights_of_piece = 64;

// Tags behind those of operators.
enum class Channel : int { reports, verdicts, plans, weights, links };

int tag_of(const Graph& graph, Channel channel) { return graph.size() + static_cast<int>(channel); }

View bytes_view(void* data, std::size_t n_bytes) {
  return dense_view(whole({static_cast<Index>(n_bytes), 1}), ElementType::u8, static_cast<std::byte*>(data));
}

bool has_work(const Session& session) {
  const std::vector<int> ranks = working_ranks(session.running_graph(), session.running_plan());
  return std::ranges::find(ranks, session.rank()) != ranks.end();
}

// Ranks without work are frames ahead, and sleep meanwhile: their core may be somebody else's.
void wait_asleep(comm::Communicator& communicator, comm::Redistribution& messages) {
  constexpr auto longest_sleep = std::chrono::seconds(2);
  const Clock::time_point begin = Clock::now();
  while (!messages.poke() && Clock::now() - begin < longest_sleep) {
    communicator.look_for_leavers();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  messages.finish_receives(set_up_timeout);
}

// [piece][rank]: weights that ranks miss for a plan.
std::vector<std::vector<std::vector<WeightId>>> pieces_of(const Session& session, const Plan& plan) {
  std::vector<std::vector<std::vector<WeightId>>> pieces;
  const auto n_ranks = static_cast<std::size_t>(session.size());
  for (std::size_t rank = 1; rank < n_ranks; ++rank) {
    std::size_t piece = 0;
    std::size_t n_bytes = 0;
    for (const WeightId id : session.missing_weights(plan, static_cast<int>(rank))) {
      const Weight& weight = session.graph().weight(id);
      const std::size_t more = static_cast<std::size_t>(volume(weight.shape)) * size_of(weight.type);
      const bool full = piece < pieces.size() && !pieces[piece][rank].empty() &&
                        (n_bytes + more > piece_bytes || pieces[piece][rank].size() >= most_weights_of_piece);
      if (full) {
        ++piece;
        n_bytes = 0;
      }
      if (piece >= pieces.size()) pieces.emplace_back(n_ranks);
      pieces[piece][rank].push_back(id);
      n_bytes += more;
    }
  }
  return pieces;
}

}  // namespace

LiveBalance::LiveBalance(Session& session, const std::optional<Profile>& profile, LiveOptions options)
    : session_(&session) {
  ensure(session.keeps_weights() || session.size() == 1, "a session whose plans change keeps weights");
  active_ = session.plan().frames == 1 && session.size() > 1;
  if (!active_) return;
  works_ = has_work(session);
  next_exchange_ = 1;
  open_messages();
  session.communicator().barrier(set_up_timeout);
  const double probed = probe_.measure(session.slowdown());
  const std::vector<comm::Bytes> probes = session.communicator().gather(bytes_of(probed), 0, set_up_timeout);
  if (!session.is_root()) return;
  ensure(profile.has_value(), "what is balanced was measured");
  std::vector<double> probe_us;
  for (const comm::Bytes& bytes : probes) probe_us.push_back(value_of<double>(bytes));
  // Simulated ones never change, and probing tells the time of the machine that simulates.
  options.rules.links.are_watched = !comm::is_simulated();
  decision_.emplace(session.graph(), *profile, session.plan(), std::move(probe_us), options.rules);
  planner_.emplace(session.graph(), std::move(options.strategy), options.goal);
  reports_.resize(static_cast<std::size_t>(session.size()));
  begin_window();
}

void LiveBalance::open_messages() {
  const int n_ranks = session_->size();
  std::vector<comm::Message> reports;
  std::vector<comm::Message> verdicts;
  if (session_->is_root()) {
    arriving_.resize(static_cast<std::size_t>(n_ranks));
    for (int peer = 1; peer < n_ranks; ++peer) {
      reports.push_back({peer, bytes_view(&arriving_[static_cast<std::size_t>(peer)], sizeof(Report))});
      verdicts.push_back({peer, bytes_view(&verdict_, sizeof(Verdict))});
    }
  } else {
    reports.push_back({0, bytes_view(&leaving_, sizeof(Report))});
    verdicts.push_back({0, bytes_view(&verdict_, sizeof(Verdict))});
  }
  const auto open = [&](Channel channel, std::vector<comm::Message> out, std::vector<comm::Message> in) {
    return session_->communicator().redistribution(tag_of(session_->graph(), channel), std::move(out), std::move(in));
  };
  const bool root = session_->is_root();
  report_messages_ =
      root ? open(Channel::reports, {}, std::move(reports)) : open(Channel::reports, std::move(reports), {});
  verdict_messages_ =
      root ? open(Channel::verdicts, std::move(verdicts), {}) : open(Channel::verdicts, {}, std::move(verdicts));
}

void LiveBalance::after_cycle() {
  if (!active_) return;
  ++frame_;
  const double us = session_->last_latency_us();
  if (!std::exchange(skip_frame_, false) && us > 0) {
    report_.compute_us += session_->last_frame().compute_us;
    ++report_.frames;
    latency_us_ += us;
  }
  if (us > 0) last_latency_us_ = us;
  if (coming_) go_on_coming();
  while (frame_ == next_exchange_) exchange();
}

LiveBalance::Report LiveBalance::take_report() {
  Report report = std::exchange(report_, {});
  if (!works_) report.probe_us = probe_.measure(session_->slowdown_now());
  if (coming_ && coming_->failed) report.prepared = -coming_->number;
  if (coming_ && coming_->ready) report.prepared = coming_->number;
  return report;
}

void LiveBalance::send_report() {
  if (report_under_way_) report_messages_->finish_sends(set_up_timeout);
  leaving_ = take_report();
  report_messages_->start();
  report_under_way_ = true;
}

// Rank 0 answers at once. Nobody waits for it longer than for the next frame's input, which comes from there as well.
void LiveBalance::exchange() {
  if (session_->is_root()) {
    report_messages_->start();
    report_messages_->finish_receives(set_up_timeout);
    reports_ = arriving_;
    reports_.front() = take_report();
    gather_window();
    if (verdict_under_way_) verdict_messages_->finish_sends(set_up_timeout);
    verdict_ = decide();
    tell_events();
    if (verdict_.action == Action::prepare) send_plan();
    verdict_messages_->start();
    verdict_under_way_ = true;
  } else {
    send_report();
    verdict_messages_->start();
    if (works_)
      verdict_messages_->finish_receives(set_up_timeout);
    else
      wait_asleep(session_->communicator(), *verdict_messages_);
  }
  carry_out();
}

// All ranks do this after the same frame.
void LiveBalance::carry_out() {
  next_exchange_ = static_cast<long>(verdict_.next_exchange);
  switch (verdict_.action) {
    case Action::none:
      break;
    case Action::prepare:
      std::erase_if(known_, [&](const Known& known) { return known.number == verdict_.forgotten; });
      begin_coming();
      go_on_coming();
      break;
    case Action::run:
      change_to(verdict_.program);
      break;
    case Action::forget:
      finish_weights();
      coming_.reset();
      break;
    case Action::measure_links:
      measure_links();
      break;
  }
}

// No message is under way: all have done the same frame, and the next one begins here.
void LiveBalance::measure_links() {
  const Clock::time_point begin = Clock::now();
  const std::vector<std::vector<Link>> links = comm::probe_links_between_hosts(
      session_->communicator(), tag_of(session_->graph(), Channel::links), set_up_timeout);
  const double us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  if (session_->is_root()) after_links_ = decision_->links_measured(links, us);
}

void LiveBalance::change_to(std::int64_t program) {
  std::shared_ptr<Compiled> next;
  if (coming_ && coming_->number == program) {
    next = std::move(coming_->compiled);
    coming_.reset();
  } else {
    const auto found = std::ranges::find(known_, program, &Known::number);
    ensure(found != known_.end(), "a program that is to run is known");
    next = std::move(found->compiled);
    known_.erase(found);
  }
  known_.push_back({running_, session_->switch_to(std::move(next))});
  running_ = program;
  works_ = has_work(*session_);
  report_ = {};
  latency_us_ = 0;
  skip_frame_ = true;
  next_exchange_ = std::max(next_exchange_, frame_ + 1);
  if (session_->is_root()) begin_window();
}

void LiveBalance::close() {
  if (!active_) return;
  finish_weights();
  if (report_under_way_) report_messages_->finish_sends(set_up_timeout);
  if (verdict_under_way_) verdict_messages_->finish_sends(set_up_timeout);
  coming_.reset();
  known_.clear();
  active_ = false;
}

std::vector<partition::LiveEvent> LiveBalance::events() const {
  return decision_ ? decision_->events() : std::vector<partition::LiveEvent>{};
}

void LiveBalance::begin_coming() {
  coming_ = std::make_unique<Coming>();
  Coming& coming = *coming_;
  coming.number = verdict_.program;
  if (session_->is_root()) {
    plan_message_->finish_sends(set_up_timeout);
    coming.plan = *std::exchange(plan_to_send_, std::nullopt);
  } else {
    plan_bytes_.resize(static_cast<std::size_t>(verdict_.plan_bytes));
    plan_message_ = session_->communicator().redistribution(tag_of(session_->graph(), Channel::plans), {},
                                                            {{0, bytes_view(plan_bytes_.data(), plan_bytes_.size())}});
    plan_message_->start();
    plan_message_->finish_receives(set_up_timeout);
    coming.plan = plan_from_bytes(plan_bytes_);
  }
  plan_message_.reset();
  coming.pieces = pieces_of(*session_, coming.plan);
  for (const auto& piece : coming.pieces)
    for (std::size_t rank = 0; rank < piece.size(); ++rank)
      for (const WeightId id : piece[rank])
        if (static_cast<int>(rank) != session_->rank()) session_->take_weight(static_cast<int>(rank), id, {});
}

void LiveBalance::send_plan() {
  plan_bytes_ = to_bytes(*plan_to_send_);
  verdict_.plan_bytes = static_cast<std::int64_t>(plan_bytes_.size());
  std::vector<comm::Message> out;
  for (int peer = 1; peer < session_->size(); ++peer)
    out.push_back({peer, bytes_view(plan_bytes_.data(), plan_bytes_.size())});
  plan_message_ =
      session_->communicator().redistribution(tag_of(session_->graph(), Channel::plans), std::move(out), {});
  plan_message_->start();
}

// Rank 0 sends a piece to all that miss something; every other rank gets its own.
void LiveBalance::start_piece() {
  Coming& coming = *coming_;
  const std::vector<std::vector<WeightId>>& piece = coming.pieces[coming.next_piece];
  std::vector<comm::Message> out;
  std::vector<comm::Message> in;
  if (session_->is_root()) {
    for (std::size_t peer = 1; peer < piece.size(); ++peer)
      for (const WeightId id : piece[peer]) {
        Blob values = session_->kept_weight(id);
        out.push_back({static_cast<int>(peer), bytes_view(values.data(), values.size_bytes())});
      }
  } else {
    for (const WeightId id : piece[static_cast<std::size_t>(session_->rank())]) {
      const Weight& weight = session_->graph().weight(id);
      Blob& values = coming.arriving.emplace_back(
          Blob::allocate(static_cast<std::size_t>(volume(weight.shape)) * size_of(weight.type)));
      in.push_back({0, bytes_view(values.data(), values.size_bytes())});
    }
  }
  coming.piece = session_->communicator().redistribution(tag_of(session_->graph(), Channel::weights), std::move(out),
                                                         std::move(in));
  coming.piece->start();
}

void LiveBalance::take_piece() {
  Coming& coming = *coming_;
  if (session_->is_root()) {
    coming.piece->finish_sends(set_up_timeout);
  } else {
    coming.piece->finish_receives(set_up_timeout);
    const std::vector<WeightId>& mine = coming.pieces[coming.next_piece][static_cast<std::size_t>(session_->rank())];
    for (std::size_t i = 0; i < mine.size(); ++i)
      session_->take_weight(session_->rank(), mine[i], std::move(coming.arriving[i]));
    coming.arriving.clear();
  }
  coming.piece.reset();
  ++coming.next_piece;
}

// A piece between two frames at most: rank 0 waits for what it sent before the last one.
bool LiveBalance::weights_are_here() {
  Coming& coming = *coming_;
  if (coming.piece && (session_->is_root() || coming.piece->poke())) take_piece();
  if (coming.piece) return false;
  if (coming.next_piece == coming.pieces.size()) return true;
  start_piece();
  return false;
}

void LiveBalance::finish_weights() {
  if (!coming_) return;
  while (coming_->piece || coming_->next_piece < coming_->pieces.size()) {
    if (!coming_->piece) start_piece();
    take_piece();
  }
}

void LiveBalance::go_on_coming() {
  Coming& coming = *coming_;
  if (coming.ready || coming.failed) return;
  if (!weights_are_here()) return;
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(static_cast<std::int64_t>(verdict_.piece_us));
  try {
    if (!coming.compiled) coming.compiled = session_->begin_beside(coming.plan);
    coming.ready = session_->go_on_beside(*coming.compiled, deadline);
  } catch (const InvalidInput& error) {
    log(LogLevel::debug, std::string("live balance: ") + error.what());
    coming.failed = true;
  } catch (const std::bad_alloc&) {
    log(LogLevel::debug, "live balance: no memory for another program");
    coming.failed = true;
  }
  if (coming.failed) coming.compiled.reset();
}

}  // namespace strake::engine
