// SPDX-License-Identifier: Apache-2.0
// The job's life: started on the nodes that are steady, watched, ended, and started again on those that are left.

#include <algorithm>
#include <utility>

#include "cluster/clock.hpp"
#include "cluster/mpirun.hpp"
#include "cluster/rank_link.hpp"
#include "cluster/supervisor.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"

namespace strake::cluster {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds ending_takes{3000};
constexpr milliseconds quiet_moment{300};
constexpr milliseconds picture_interval{1000};
constexpr milliseconds ask_again{300};
constexpr int exit_wrong_input = 2;

// A start that takes so long, and so much longer than others took, is held up by a newcomer: a bad link perhaps.
constexpr milliseconds least_start_time{10000};
constexpr int start_times = 3;

}  // namespace

void Supervisor::tend_job() {
  for (const std::string& name : members_.fallen_silent(now_)) happened("node lost", "'" + name + "' fell silent");
  watch_links();
  if (job_.phase != Phase::none) {
    watch_ranks();
    ask_for_daemons();
    consider_joining();
  }
  if (job_.phase != Phase::none || !may_start()) return;
  // Until now somebody could have said what it was.
  for (const std::string& name : suspects_) members_.lose(name, now_);
  suspects_.clear();
  start_job();
}

bool Supervisor::may_start() {
  if (closing_ || exit_code_ || now_ < not_before_) return false;
  if (job_.id > 0 || options_.first_nodes == 0) return true;
  return static_cast<int>(members_.steady(now_).size()) >= options_.first_nodes || now_ - began_ >= options_.first_wait;
}

std::vector<std::string> Supervisor::nodes_for_job() const {
  std::vector<std::string> names;
  std::vector<std::string> hosts{host_name()};
  for (const std::string& name : members_.steady(now_)) {
    if (links_.is_slow(name)) continue;
    const std::string& host = members_.node(name)->about.host();
    // Open MPI tells hosts apart by their names.
    if (std::find(hosts.begin(), hosts.end(), host) != hosts.end()) continue;
    hosts.push_back(host);
    names.push_back(name);
  }
  return names;
}

void Supervisor::start_job() {
  const auto rank_on = [](const std::string& node, const std::string& host) {
    Rank rank;
    rank.node = node;
    rank.host = host;
    return rank;
  };
  Job job;
  job.phase = Phase::starting;
  job.id = job_.id + 1;
  job.about = job_.about;  // clients may go on preparing frames
  job.started = now_;
  JobSpec spec{.program = own_path(),
               .arguments = options_.worker,
               .local_ranks = options_.local_ranks,
               .hosts = {},
               .network = interface_ ? interface_->network : "",
               .folder = folder_.path(),
               .parent = private_address_};
  spec.arguments.insert(spec.arguments.end(), {"--job", std::to_string(job.id)});
  for (int i = 0; i < options_.local_ranks; ++i) job.ranks.push_back(rank_on("", host_name()));
  for (const std::string& name : nodes_for_job()) {
    spec.hosts.push_back(members_.node(name)->about.host());
    job.ranks.push_back(rank_on(name, spec.hosts.back()));
  }
  Command command = mpirun_command(spec);
  if (interface_) listen_library_.confine(command, *interface_);
  job.mpirun = start(command);
  std::string hosts;
  for (const Rank& rank : job.ranks) hosts += (hosts.empty() ? "" : ", ") + rank.host;
  job_ = std::move(job);
  happened("job started", std::to_string(job_.id) + " on " + hosts);
}

std::optional<Supervisor::Time> Supervisor::heard_of(const Rank& rank) const {
  if (rank.node.empty()) return rank.heard;
  const Membership::Node* node = members_.node(rank.node);
  if (node == nullptr || !node->there) return std::nullopt;
  const auto place = static_cast<std::uint32_t>(&rank - job_.ranks.data());
  for (const wire::RankBeat& beat : node->ranks)
    if (beat.job() == job_.id && beat.rank() == place) return node->heard - milliseconds(beat.age_ms());
  return std::nullopt;
}

void Supervisor::watch_ranks() {
  for (Rank& rank : job_.ranks) {
    if (rank.node.empty()) continue;
    const Membership::Node* node = members_.node(rank.node);
    if (node == nullptr || !node->there) {
      lose_job("node '" + rank.node + "' is lost", node == nullptr ? now_ : node->heard, rank.node);
      return;
    }
    if (const std::optional<Time> heard = heard_of(rank)) rank.heard = heard;
    const auto place = static_cast<std::uint32_t>(&rank - job_.ranks.data());
    for (const wire::RankBeat& beat : node->ranks) {
      if (beat.job() != job_.id || beat.rank() != place) continue;
      rank.pid = static_cast<int>(beat.pid());
      rank.gone = beat.gone();
    }
  }
  if (const std::optional<int> code = exit_code_if_ended(job_.mpirun.pid)) {
    job_.mpirun.pid = -1;
    if (job_.phase == Phase::ending) {
      kill_job();
    } else {
      lose_job("mpirun ended with exit code " + std::to_string(*code), now_);
    }
    return;
  }
  if (job_.phase == Phase::ending) {
    if (now_ >= job_.ends_until) kill_job();
    return;
  }
  for (std::size_t i = 0; i < job_.ranks.size(); ++i) {
    const Rank& rank = job_.ranks[i];
    if (rank.gone || (rank.node.empty() && rank.pid > 0 && !is_there(rank.pid))) {
      lose_job("rank " + std::to_string(i) + " on '" + rank.host + "' ended", rank.heard.value_or(now_), rank.node);
      return;
    }
    if (!rank.heard || now_ - *rank.heard <= options_.beat_timeout) continue;
    lose_job("rank " + std::to_string(i) + " on '" + rank.host + "' fell silent", *rank.heard, rank.node);
    return;
  }
  if (job_.phase == Phase::starting && now_ - job_.started > options_.start_timeout) {
    lose_job("it took longer to start than " + std::to_string(options_.start_timeout.count()) + " ms", job_.started);
    return;
  }
  if (job_.phase == Phase::starting && was_ready_ &&
      now_ - job_.started > std::max(least_start_time, start_times * longest_start_)) {
    give_up_newcomers();
    return;
  }
  if (const std::optional<Time> since = queue_.running_since(); since && now_ - *since > options_.frame_timeout)
    lose_job("a frame took longer than " + std::to_string(options_.frame_timeout.count()) + " ms", *since);
}

bool Supervisor::is_in_job(const std::string& node) const {
  return std::ranges::any_of(job_.ranks, [&](const Rank& rank) { return rank.node == node; });
}

// The frame that runs: others that were taken from the queue wait behind it.
std::optional<Supervisor::Time> Supervisor::frame_began() const {
  const std::optional<Time> taken = queue_.running_since();
  return taken ? std::max(*taken, last_done_) : taken;
}

void Supervisor::watch_links() {
  const std::optional<Time> since = frame_began();
  if (job_.phase == Phase::ready && since && frame_times_.is_overdue(now_ - *since)) {
    std::vector<std::string> names;
    for (const Rank& rank : job_.ranks)
      if (!rank.node.empty()) names.push_back(rank.node);
    links_.suspect(names, now_);
  }
  for (const LinkWatch::Question& question : links_.questions(now_)) {
    const Membership::Node* node = members_.node(question.name);
    if (node == nullptr || !node->there) continue;
    reply(node->peer, message_with([&](wire::Envelope& body) {
            body.mutable_echo()->set_number(question.number);
            body.mutable_echo()->set_filling(std::string(LinkWatch::piece_bytes, '\0'));
          }));
  }
  const auto is_heard = [&](const std::string& name) {
    const Membership::Node* node = members_.node(name);
    return node != nullptr && node->there && now_ - node->heard <= 3 * beat_interval;
  };
  for (const LinkWatch::Slow& slow : links_.became_slow(now_, is_heard)) {
    happened("link slow", "to node '" + slow.name + "': " + slow.why);
    members_.lose(slow.name, now_);
    if (is_in_job(slow.name)) lose_job("the link to node '" + slow.name + "' is slow", since.value_or(now_));
  }
  for (const auto& [name, node] : members_.nodes())
    if (node.there && links_.is_slow(name)) members_.unsettle(name, now_);
}

void Supervisor::give_up_newcomers() {
  for (const Rank& rank : job_.ranks)
    if (!rank.node.empty() && std::find(last_nodes_.begin(), last_nodes_.end(), rank.node) == last_nodes_.end())
      members_.lose(rank.node, now_);
  lose_job("it takes too long to start", job_.started);
}

void Supervisor::consider_joining() {
  if (queue_.waiting() + queue_.running() > 0) quiet_since_ = now_;
  if (job_.phase != Phase::ready) return;
  std::vector<std::string> newcomers;
  for (const std::string& name : nodes_for_job())
    if (!is_in_job(name)) newcomers.push_back(name);
  if (newcomers.empty()) {
    newcomers_since_.reset();
    return;
  }
  if (!newcomers_since_) newcomers_since_ = now_;
  if (now_ - quiet_since_ < quiet_moment && now_ - *newcomers_since_ < options_.join_after) return;
  newcomers_since_.reset();
  end_job_quietly("node '" + newcomers.front() + "' joins");
}

void Supervisor::end_job_quietly(const std::string& why) {
  happened("job ends", std::to_string(job_.id) + ": " + why);
  // Rank 0 first answers what it has been given.
  Message stop = message_with([](wire::Envelope& body) { body.mutable_stop_job(); });
  stop.peer = job_.rank0;
  (void)private_.send(std::move(stop));
  job_.phase = Phase::ending;
  job_.ends_until = now_ + ending_takes;
}

// A node named as culprit is why a job cannot start: it would be so again. Without one, those are suspected whose ranks
// never spoke.
void Supervisor::lose_job(const std::string& why, Time last_sign, const std::string& culprit) {
  const bool had_started = job_.phase == Phase::ready;
  ++state_.jobs_lost;
  state_.last_detection_ms = in_ms(now_ - last_sign);
  happened("job lost", std::to_string(job_.id) + ": " + why);
  if (!lost_at_) lost_at_ = now_;
  if (!had_started) {
    if (culprit.empty()) {
      for (const Rank& rank : job_.ranks)
        if (!rank.node.empty() && !rank.heard) suspects_.push_back(rank.node);
    } else {
      members_.lose(culprit, now_);
    }
    not_before_ = now_ + milliseconds(200 * (1 << std::min(failed_starts_, 5)));
    ++failed_starts_;
  }
  kill_job();
}

void Supervisor::kill_job() {
  if (job_.phase == Phase::none) return;
  for (const auto& [name, node] : members_.nodes()) {
    if (!node.there) continue;
    const std::uint64_t job = job_.id;
    reply(node.peer, message_with([&](wire::Envelope& body) { body.mutable_stop_daemon()->set_job(job); }));
  }
  end_all_descendants();
  job_.phase = Phase::none;
  ended_job_ = job_.id;
  ended_nodes_.clear();
  for (const Rank& rank : job_.ranks)
    if (!rank.node.empty()) ended_nodes_.push_back(rank.node);
  job_.ranks.clear();
  job_.launchers.clear();
  job_.rank0.clear();
  for (FrameQueue::Answer& answer : queue_.replay(now_)) {
    ++state_.failed;
    send_answer(std::move(answer));
  }
}

void Supervisor::feed() {
  if (job_.phase != Phase::ready) return;
  // One runs, one is on its way.
  const auto most = static_cast<std::size_t>(std::max(2U, 2 * job_.about.in_flight()));
  while (queue_.running() < most) {
    std::optional<FrameQueue::Ticket> next = queue_.next(now_);
    if (!next) return;
    if (observer_ && now_ - shown_ >= picture_interval) show_frame(next->tensors, next->parts);
    Message message = message_with([&](wire::Envelope& body) {
      body.mutable_work()->set_ticket(next->ticket);
      *body.mutable_work()->mutable_tensors() = std::move(next->tensors);
    });
    message.parts = std::move(next->parts);
    message.peer = job_.rank0;
    (void)private_.send(std::move(message));
  }
}

// Again and again: a node may just have made its connection anew. Agents start a job's daemon once.
void Supervisor::ask_for_daemons() {
  if (job_.phase != Phase::starting) return;
  for (const Rank& rank : job_.ranks) {
    const auto launch = job_.launchers.find(rank.node);
    if (rank.node.empty() || rank.heard || launch == job_.launchers.end()) continue;
    const Membership::Node* node = members_.node(rank.node);
    if (node == nullptr || !node->there || now_ - launch->second.asked < ask_again) continue;
    launch->second.asked = now_;
    reply(node->peer,
          message_with([&](wire::Envelope& body) { *body.mutable_start_daemon() = launch->second.request; }));
  }
}

void Supervisor::on_launch(const std::string& peer, const wire::LaunchRequest& request) {
  for (const Rank& rank : job_.ranks) {
    if (rank.node.empty() || rank.host != request.host()) continue;
    const Membership::Node* node = members_.node(rank.node);
    if (node == nullptr || !node->there) break;
    Launch& launch = job_.launchers[rank.node];
    launch.peer = peer;
    launch.request.set_job(job_.id);
    if (interface_) launch.request.set_network(interface_->network);
    *launch.request.mutable_arguments() = request.arguments();
    ask_for_daemons();
    return;
  }
  Message ended = message_with([&](wire::Envelope& body) {
    body.mutable_daemon_ended()->set_exit_code(1);
    body.mutable_daemon_ended()->set_reason("no node of that name is in the job");
  });
  ended.peer = peer;
  (void)private_.send(std::move(ended));
}

void Supervisor::on_daemon_ended(const std::string& node, const wire::DaemonEnded& ended) {
  if (ended.job() != job_.id || !job_.launchers.contains(node)) return;
  Message forward = message_with([&](wire::Envelope& body) { *body.mutable_daemon_ended() = ended; });
  forward.peer = job_.launchers.at(node).peer;
  (void)private_.send(std::move(forward));
  if (job_.phase != Phase::starting && job_.phase != Phase::ready) return;
  lose_job("the daemon on node '" + node + "' ended with exit code " + std::to_string(ended.exit_code()) +
               (ended.reason().empty() ? "" : ": " + ended.reason()),
           now_, ended.exit_code() != 0 ? node : "");
}

bool Supervisor::had_a_rank(const std::string& node, std::uint64_t job) const {
  return (job == job_.id && is_in_job(node)) ||
         (job == ended_job_ && std::ranges::find(ended_nodes_, node) != ended_nodes_.end());
}

// Another rank there would fare no better. Its job may be over already, since mpirun ended, and the next one begun.
void Supervisor::on_out_of_memory(const std::string& node, std::uint64_t job) {
  if (!had_a_rank(node, job)) return;
  // It has managed to start again.
  if (job != job_.id && job_.phase == Phase::ready && is_in_job(node)) return;
  happened("node out of memory", "'" + node + "' had none left for its rank of job " + std::to_string(job));
  members_.lose(node, now_);
  suspects_.clear();
  if (is_in_job(node) && job_.phase != Phase::ending)
    lose_job("node '" + node + "' has no memory for its rank", now_, node);
  std::erase(ended_nodes_, node);
}

void Supervisor::on_rank_beat(const std::string& peer, const wire::RankHello& hello) {
  if (hello.job() != job_.id || hello.rank() >= job_.ranks.size()) return;
  Rank& rank = job_.ranks[hello.rank()];
  if (!rank.node.empty()) return;
  rank.heard = now_;
  rank.pid = static_cast<int>(hello.pid());
  if (hello.out_of_memory())
    happened("out of memory", "this host has none left for rank " + std::to_string(hello.rank()));
  if (hello.rank() == 0) job_.rank0 = peer;
}

void Supervisor::on_ready(const std::string& peer, const wire::JobReady& ready) {
  if (ready.job() != job_.id || job_.phase != Phase::starting) return;
  job_.rank0 = peer;
  job_.about = ready;
  job_.phase = Phase::ready;
  was_ready_ = true;
  longest_start_ = std::max(longest_start_, std::chrono::duration_cast<milliseconds>(now_ - job_.started));
  last_nodes_.clear();
  for (const Rank& rank : job_.ranks)
    if (!rank.node.empty()) last_nodes_.push_back(rank.node);
  failed_starts_ = 0;
  frame_times_.clear();
  for (int i = 0; i < std::min(ready.ranks_size(), static_cast<int>(job_.ranks.size())); ++i)
    job_.ranks[static_cast<std::size_t>(i)].share = ready.ranks(i);
  std::string text = std::to_string(job_.id) + ": " + ready.model() + ", strategy " + ready.strategy() + ", " +
                     std::to_string(job_.ranks.size()) + " ranks, after " +
                     std::to_string(static_cast<int>(in_ms(now_ - job_.started))) + " ms";
  if (lost_at_) {
    state_.last_recovery_ms = in_ms(now_ - *lost_at_);
    lost_at_.reset();
  }
  happened("job ready", text);
}

void Supervisor::on_refused(const wire::JobRefused& refused) {
  if (refused.job() != job_.id || job_.phase != Phase::starting) return;
  happened("job refused", std::to_string(job_.id) + ": " + refused.reason());
  // What worked before fails for want of those that are lost: they may come back.
  if (was_ready_) {
    lose_job("its ranks refuse", now_);
    return;
  }
  log(LogLevel::error, refused.reason());
  exit_code_ = exit_wrong_input;
}

void Supervisor::on_done(Message& message) {
  wire::WorkDone& done = *message.body.mutable_work_done();
  if (done.job() != job_.id) return;
  wire::Result result;
  result.set_error(done.error());
  result.set_compute_us(done.compute_us());
  result.set_epoch(job_.id);
  *result.mutable_tensors() = std::move(*done.mutable_tensors());
  const bool failed = !done.error().empty();
  state_.compute_ms.add(static_cast<double>(done.compute_us()) / 1000);
  std::optional<FrameQueue::Answer> answer =
      queue_.finish(done.ticket(), std::move(result), std::move(message.parts), now_);
  if (!answer) return;
  ++(failed ? state_.failed : state_.answered);
  state_.latency_ms.add(in_ms(now_ - answer->submitted));
  if (!failed) frame_times_.add(std::chrono::microseconds(done.compute_us()));
  last_done_ = now_;
  send_answer(std::move(*answer));
}

void Supervisor::on_look(const wire::JobLook& look) {
  if (look.job() != job_.id) return;
  for (int i = 0; i < std::min(look.ranks_size(), static_cast<int>(job_.ranks.size())); ++i)
    job_.ranks[static_cast<std::size_t>(i)].times = look.ranks(i);
  if (!look.trace().empty()) state_.trace = std::make_shared<const std::string>(look.trace());
}

void Supervisor::show_frame(const Tensors& tensors, std::vector<zmq::message_t>& parts) {
  shown_ = now_;
  std::vector<zmq::message_t> copies = copies_of(parts);
  Preview preview = preview_of(take_tensors(tensors, copies));
  if (!preview.rgba.empty()) state_.preview = std::make_shared<const Preview>(std::move(preview));
}

}  // namespace strake::cluster
