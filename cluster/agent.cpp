// SPDX-License-Identifier: Apache-2.0
#include "cluster/agent.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "cluster/daemon.hpp"
#include "cluster/facts.hpp"
#include "cluster/health.hpp"
#include "cluster/rank_link.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"

namespace strake::cluster {

namespace {

constexpr std::chrono::milliseconds health_interval{1000};
constexpr std::chrono::milliseconds new_connection_after{2000};
constexpr std::size_t most_output_bytes = 1 << 16;  // at a time

}  // namespace

Agent::Agent(AgentOptions options, Signals& signals)
    : options_(std::move(options)),
      signals_(signals),
      folder_("node"),
      listen_library_(folder_.path()),
      context_(1),
      private_(context_, Peers::many),
      private_address_("ipc://" + (folder_.path() / "s").string()),
      incarnation_((std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()),
      ended_for_memory_(ended_for_memory()),
      ended_before_(ended_for_memory_),
      now_(std::chrono::steady_clock::now()),
      answered_(now_),
      connected_(now_) {
  adopt_orphans();
  private_.bind(private_address_);
  connect();
}

Agent::~Agent() { end_daemon(); }

void Agent::connect() {
  socket_.reset();
  socket_ = std::make_unique<Socket>(context_, Peers::one);
  socket_->use_keys(options_.identity);
  socket_->connect(options_.supervisor.text());
  connected_ = now_;
  registered_ = false;
}

int Agent::run() {
  while (!exit_code_ && !signals_.asked_to_end()) turn();
  end_daemon();
  return exit_code_.value_or(0);
}

void Agent::turn() {
  std::vector<zmq::pollitem_t> items{
      {nullptr, signals_.descriptor(), ZMQ_POLLIN, 0}, socket_->poll_item(), private_.poll_item()};
  if (daemon_.output >= 0) items.push_back({nullptr, daemon_.output, ZMQ_POLLIN, 0});
  wait_for(items, std::chrono::milliseconds(20));
  now_ = std::chrono::steady_clock::now();
  std::optional<Message> message;
  for (int i = 0; i < 64 && (message = private_.receive()); ++i)
    if (message->body.has_rank_hello() && message->body.rank_hello().job() == job_) {
      ranks_[message->body.rank_hello().rank()] = {message->body.rank_hello().pid(), now_};
      if (message->body.rank_hello().out_of_memory()) tell_out_of_memory();
    }
  for (int i = 0; i < 64 && (message = socket_->receive()); ++i) on_supervisor(message->body);
  tend_daemon();
  if (now_ >= next_beat_) {
    next_beat_ = now_ + beat_interval;
    beat();
  }
  const bool refused = socket_->key_was_refused();
  if (refused && last_refusal_ != "key") {
    last_refusal_ = "key";
    log(LogLevel::warning, "the supervisor at " + options_.supervisor.text() + " does not know this node's key");
  }
  if (now_ - answered_ > options_.patience && daemon_.pid > 0) {
    log(LogLevel::warning, "the supervisor is silent: what runs for it is ended");
    tell_ended(1, "the supervisor was silent");
    end_daemon();
  }
  // A connection that broke without a word may be waiting for a peer that is long gone.
  if (now_ - answered_ > new_connection_after && now_ - connected_ > new_connection_after) connect();
}

void Agent::register_here() {
  utsname names{};
  uname(&names);
  (void)socket_->send(message_with([&](wire::Envelope& body) {
    wire::Register& about = *body.mutable_register_();
    about.set_build(options_.build);
    about.set_host(host_name());
    about.set_cores(static_cast<std::uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))));
    about.set_architecture(names.machine);
    about.set_incarnation(incarnation_);
  }));
}

void Agent::beat() {
  if (!registered_) {
    register_here();
    // The first answer says whether this was heard.
  }
  if (now_ - health_read_ >= health_interval) {
    health_read_ = now_;
    health_ = read_health();
    ended_before_ = std::exchange(ended_for_memory_, ended_for_memory());
  }
  if (has_lost_a_rank()) look_for_memory();
  (void)socket_->send(message_with([&](wire::Envelope& body) {
    wire::Beat& beat = *body.mutable_beat();
    beat.set_incarnation(incarnation_);
    *beat.mutable_health() = health_;
    for (const auto& [number, rank] : ranks_) {
      wire::RankBeat& entry = *beat.add_ranks();
      entry.set_job(job_);
      entry.set_rank(number);
      entry.set_pid(rank.pid);
      entry.set_gone(!is_there(static_cast<pid_t>(rank.pid)));
      entry.set_age_ms(
          static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now_ - rank.heard).count()));
    }
  }));
}

void Agent::on_supervisor(const wire::Envelope& body) {
  answered_ = now_;
  if (body.has_beat_answer()) {
    if (body.beat_answer().registered() && !registered_) {
      log(LogLevel::info, "is a node of the cluster at " + options_.supervisor.text());
      last_refusal_.clear();
    }
    // It has given this node up: what runs belongs to a job that is gone.
    if (!body.beat_answer().registered() && registered_) end_daemon();
    registered_ = body.beat_answer().registered();
  } else if (body.has_refused()) {
    if (body.refused().reason() != last_refusal_) log(LogLevel::error, "refused: " + body.refused().reason());
    last_refusal_ = body.refused().reason();
    end_daemon();
    registered_ = false;
  } else if (body.has_start_daemon()) {
    start_daemon(body.start_daemon());
  } else if (body.has_stop_daemon()) {
    if (body.stop_daemon().job() >= job_) end_daemon();
  } else if (body.has_facts_request()) {
    (void)socket_->send(message_with([&](wire::Envelope& back) {
      back.mutable_facts()->set_json(facts_from(options_.facts));
      back.mutable_facts()->set_wall_clock_ms(wall_clock_ms());
    }));
  } else if (body.has_echo()) {
    (void)socket_->send(message_with([&](wire::Envelope& back) { *back.mutable_echo() = body.echo(); }));
  }
}

void Agent::start_daemon(const wire::StartDaemon& request) {
  // Asked again, because the answer was slow.
  if (daemon_.pid > 0 && request.job() == job_) return;
  end_daemon();
  job_ = request.job();
  try {
    Command command;
    command.words = daemon_command({request.arguments().begin(), request.arguments().end()});
    command.environment = {{parent_variable, private_address_}, {"TMPDIR", folder_.path().string()}};
    command.pipe_output = true;
    if (const std::optional<Interface> interface = interface_in(request.network())) {
      listen_library_.confine(command, *interface);
    } else if (!request.network().empty()) {
      log(LogLevel::warning, "no interface here is in the cluster's network " + request.network());
    }
    command.yields_memory = true;
    daemon_ = start(command);
    log(LogLevel::info, "job " + std::to_string(job_) + " begins here");
  } catch (const std::exception& error) {
    log(LogLevel::error, error.what());
    tell_ended(1, error.what());
  }
}

void Agent::end_daemon() {
  if (daemon_.pid > 0) log(LogLevel::info, "job " + std::to_string(job_) + " ends here");
  if (has_lost_a_rank()) look_for_memory();
  end_all_descendants();
  if (daemon_.output >= 0) close(daemon_.output);
  daemon_ = {};
  // Another supervisor counts from 1 again.
  job_ = 0;
  ranks_.clear();
}

void Agent::tell_ended(int exit_code, const std::string& reason) {
  (void)socket_->send(message_with([&](wire::Envelope& body) {
    wire::DaemonEnded& ended = *body.mutable_daemon_ended();
    ended.set_job(job_);
    ended.set_exit_code(exit_code);
    ended.set_reason(reason);
  }));
}

void Agent::tell_out_of_memory() {
  log(LogLevel::error, "there is no memory for job " + std::to_string(job_) + " here");
  (void)socket_->send(message_with([&](wire::Envelope& body) { body.mutable_out_of_memory()->set_job(job_); }));
}

bool Agent::has_lost_a_rank() const {
  return std::ranges::any_of(ranks_, [](const auto& rank) { return !is_there(static_cast<pid_t>(rank.second.pid)); });
}

// A rank that the kernel ends cannot say why. The kernel counts what it ends anywhere in the control group or on the
// host, so that only what happened just now tells.
void Agent::look_for_memory() {
  const std::uint64_t ended = ended_for_memory();
  if (ended > ended_before_) tell_out_of_memory();
  ended_before_ = ended_for_memory_ = ended;
}

void Agent::tend_daemon() {
  if (daemon_.pid < 0) return;
  std::string text(most_output_bytes, '\0');
  const ssize_t n = daemon_.output >= 0 ? read(daemon_.output, text.data(), text.size()) : 0;
  if (n > 0) {
    text.resize(static_cast<std::size_t>(n));
    (void)socket_->send(message_with([&](wire::Envelope& body) {
      body.mutable_daemon_output()->set_job(job_);
      body.mutable_daemon_output()->set_text(text);
    }));
    return;
  }
  // Nobody writes any more; a closed pipe would wake the loop for ever.
  if (n == 0 && daemon_.output >= 0) {
    close(daemon_.output);
    daemon_.output = -1;
  }
  if (const std::optional<int> code = exit_code_if_ended(daemon_.pid)) {
    daemon_.pid = -1;
    // The kernel may have ended the daemon too; its ranks are ours then, and not gone until they are buried.
    if (*code > 128) look_for_memory();
    tell_ended(*code, "");
    end_daemon();
  }
}

}  // namespace strake::cluster
