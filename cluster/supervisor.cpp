// SPDX-License-Identifier: Apache-2.0
#include "cluster/supervisor.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "cluster/clock.hpp"
#include "core/errors.hpp"
#include "core/log.hpp"

namespace strake::cluster {

namespace {

constexpr std::chrono::milliseconds turn_length{10};
constexpr std::chrono::milliseconds slow_turn{500};
constexpr std::size_t most_events = 200;

// A peer is known by the socket that it came through and its name there.
std::string peer_of(std::size_t socket, const std::string& name) { return static_cast<char>(socket) + name; }

std::span<const std::uint64_t> numbers_in(const google::protobuf::RepeatedField<std::uint64_t>& list) {
  return {list.data(), static_cast<std::size_t>(list.size())};
}

}  // namespace

Supervisor::Supervisor(SupervisorOptions options, Signals& signals)
    : options_(std::move(options)),
      signals_(signals),
      folder_("serve"),
      listen_library_(folder_.path()),
      context_(1),
      private_(context_, Peers::many),
      queue_(options_.queue),
      members_(options_.membership),
      links_({.late_by = options_.beat_timeout * 3 / 7}),
      began_(std::chrono::steady_clock::now()),
      now_(began_),
      quiet_since_(began_) {
  adopt_orphans();
  listen();
}

Supervisor::~Supervisor() { end_all_descendants(); }

void Supervisor::listen() {
  private_address_ = "ipc://" + (folder_.path() / "s").string();
  private_.bind(private_address_);
  // mpirun takes the program of its hook by a path without blanks.
  std::filesystem::create_symlink(own_path(), folder_.path() / "strake");
  if (!is_loopback(options_.local))
    throw InvalidInput("'" + options_.local.text() + "' is not of this host alone, and would let anybody in");
  public_.emplace_back(context_, Peers::many).bind(options_.local.text());
  log(LogLevel::info, "listens at " + options_.local.text() + " (this host only)");
  if (options_.listen.empty()) {
    interface_ = interface_of({.host = "127.0.0.1"});
    return;
  }
  const KeyStore keys(options_.keys);
  const KeyPair server = keys.server();
  gate_ = std::make_unique<Gate>(context_, keys);
  for (const Address& address : options_.listen) {
    Socket& socket = public_.emplace_back(context_, Peers::many);
    socket.require_keys(server);
    socket.bind(address.text());
    if (!interface_) interface_ = interface_of(address);
    log(LogLevel::info, "listens at " + address.text() + " (with keys)");
  }
}

int Supervisor::run() {
  while (!exit_code_ && !signals_.asked_to_end()) turn();
  closing_ = true;
  if (job_.phase == Phase::ready) {
    end_job_quietly("the supervisor was asked to end");
    while (job_.phase == Phase::ending) turn();
  }
  kill_job();
  return exit_code_.value_or(0);
}

void Supervisor::turn() {
  std::vector<zmq::pollitem_t> items{{nullptr, signals_.descriptor(), ZMQ_POLLIN, 0}, private_.poll_item()};
  for (Socket& socket : public_) items.push_back(socket.poll_item());
  if (gate_) items.push_back(gate_->poll_item());
  wait_for(items, turn_length);
  const Time before = now_;
  now_ = std::chrono::steady_clock::now();
  if (now_ - before > slow_turn)
    log(LogLevel::warning, "this host is too busy: the supervisor did not get on for " +
                               std::to_string(static_cast<int>(in_ms(now_ - before))) + " ms");
  if (now_ - before > 2 * turn_length) links_.excuse(now_ - before - turn_length);
  if (gate_) gate_->answer();
  // Nobody may keep the others waiting: a share of messages each.
  constexpr int share = 256;
  std::optional<Message> message;
  for (int i = 0; i < share && (message = private_.receive()); ++i) on_private(std::move(*message));
  for (std::size_t place = 0; place < public_.size(); ++place)
    for (int i = 0; i < share && (message = public_[place].receive()); ++i) on_public(place, std::move(*message));
  if (const std::size_t gone = queue_.forget_silent(now_); gone > 0)
    happened("client gone", std::to_string(gone) + " clients fell silent; their frames went with them");
  look_at_keys();
  answer_who_asked_for_facts();
  tend_job();
  feed();
  if (observer_) observer_(observed());
}

void Supervisor::look_at_keys() {
  if (!gate_) return;
  for (const auto& [name, node] : members_.nodes()) {
    if (!node.there) continue;
    if (gate_->member("node " + name + " " + node.key)) continue;
    happened("key revoked", "node '" + name + "'");
    members_.lose(name, now_);
    return;
  }
}

void Supervisor::on_facts_request(const std::string& peer) {
  const FactsOfNodes::Verdict verdict = facts_.ask(peer, now_);
  if (verdict == FactsOfNodes::Verdict::too_many) refuse(peer, "too many ask for facts at once");
  if (verdict != FactsOfNodes::Verdict::ask_nodes) return;
  for (const auto& [name, node] : members_.nodes())
    if (node.there) ask_for_facts(node.peer);
}

void Supervisor::ask_for_facts(const std::string& peer) {
  reply(peer, message_with([](wire::Envelope& body) { body.mutable_facts_request(); }));
}

void Supervisor::answer_who_asked_for_facts() {
  if (!facts_.is_anybody_waiting()) return;
  std::vector<std::string> nodes;
  for (const auto& [name, node] : members_.nodes())
    if (node.there) nodes.push_back(name);
  const std::vector<std::string> peers = facts_.ready(nodes, now_);
  if (peers.empty()) return;
  const std::string json = facts_.to_json(facts_from(options_.facts), nodes, to_json(observed()), now_);
  for (const std::string& peer : peers)
    reply(peer, message_with([&](wire::Envelope& body) { body.mutable_facts()->set_json(json); }));
}

void Supervisor::on_public(std::size_t socket, Message message) {
  message.peer = peer_of(socket, message.peer);
  Role role = Role::client;
  std::string name;
  if (socket > 0) {
    const std::optional<Member> member = gate_->member(message.user);
    if (!member) {
      ++state_.refused;
      refuse(message.peer, "the key does not count any more");
      return;
    }
    role = member->role;
    name = member->name;
  }
  if (message.body.has_status_request()) {
    Message status = message_with([&](wire::Envelope& body) { body.mutable_status()->set_json(to_json(observed())); });
    reply(message.peer, std::move(status));
    return;
  }
  if (message.body.has_facts_request()) {
    on_facts_request(message.peer);
    return;
  }
  if (role == Role::node)
    on_node(name, message);
  else if (role == Role::client)
    on_client(message, message.user);
  else
    refuse(message.peer, "a viewer only looks");
}

void Supervisor::on_client(Message& message, const std::string& user) {
  // A message names its client; 16 random bytes are nobody else's.
  const auto known = [&](const std::string& client, std::uint64_t oldest, std::span<const std::uint64_t> received) {
    if (client.size() == 16 && queue_.heard(client, message.peer, user, oldest, now_, received)) return true;
    refuse(message.peer, "a client is named by 16 bytes of its own");
    return false;
  };
  if (message.body.has_hello()) {
    const wire::Hello& hello = message.body.hello();
    if (known(hello.client(), hello.oldest(), numbers_in(hello.received())))
      welcome(hello.client(), message.peer, hello.asked());
  } else if (message.body.has_goodbye()) {
    const std::string& client = message.body.goodbye().client();
    if (known(client, 0, {})) queue_.leave(client);
  } else if (message.body.has_submit()) {
    wire::Submit& submit = *message.body.mutable_submit();
    if (!known(submit.client(), submit.oldest(), numbers_in(submit.received()))) return;
    const std::uint64_t number = submit.number();
    switch (
        queue_.submit(submit.client(), number, std::move(*submit.mutable_tensors()), std::move(message.parts), now_)) {
      case FrameQueue::Verdict::taken:
        ++state_.submitted;
        break;
      case FrameQueue::Verdict::busy:
        ++state_.busy;
        reply(message.peer, message_with([&](wire::Envelope& body) { body.mutable_busy()->set_number(number); }));
        break;
      case FrameQueue::Verdict::answered:
        ++state_.repeated;
        if (auto answer = queue_.answer_again(submit.client(), number)) send_answer(std::move(*answer));
        break;
      case FrameQueue::Verdict::repeated:
      case FrameQueue::Verdict::old:
        ++state_.repeated;
        break;
    }
  } else {
    refuse(message.peer, "a client submits frames");
  }
}

void Supervisor::welcome(const std::string& client, const std::string& peer, std::uint64_t asked) {
  const FrameQueue::Known known = queue_.known(client);
  reply(peer, message_with([&](wire::Envelope& body) {
          wire::Welcome& welcome = *body.mutable_welcome();
          welcome.set_model(job_.about.model());
          welcome.set_model_hash(job_.about.model_hash());
          *welcome.mutable_inputs() = job_.about.inputs();
          *welcome.mutable_outputs() = job_.about.outputs();
          welcome.set_window(static_cast<std::uint32_t>(queue_.window()));
          welcome.set_ready(job_.phase == Phase::ready);
          welcome.set_epoch(job_.id);
          welcome.set_asked(asked);
          welcome.mutable_unanswered()->Add(known.unanswered.begin(), known.unanswered.end());
          welcome.mutable_answered()->Add(known.answered.begin(), known.answered.end());
        }));
}

void Supervisor::on_node(const std::string& name, Message& message) {
  wire::Envelope& body = message.body;
  if (body.has_register_()) {
    const wire::Register& about = body.register_();
    if (about.build() != options_.build) {
      refuse(message.peer, "this node has another build of Strake: '" + about.build() + "', the supervisor has '" +
                               options_.build + "'");
      return;
    }
    const Membership::Node* before = members_.node(name);
    const bool is_new = before == nullptr || !before->there || before->about.incarnation() != about.incarnation();
    const bool by_another_way = is_new || before->peer != message.peer;
    members_.registered(name, message.peer, message.user.substr(message.user.rfind(' ') + 1), about, now_);
    if (is_new) happened("node there", "'" + name + "', host '" + about.host() + "'");
    if (by_another_way) links_.arrived(name);
    if (is_new && facts_.is_anybody_waiting()) ask_for_facts(message.peer);
    reply(message.peer,
          message_with([](wire::Envelope& answer) { answer.mutable_beat_answer()->set_registered(true); }));
  } else if (body.has_beat()) {
    const bool registered = members_.beat(name, message.peer, body.beat(), now_);
    reply(message.peer,
          message_with([&](wire::Envelope& answer) { answer.mutable_beat_answer()->set_registered(registered); }));
  } else if (body.has_echo()) {
    links_.answered(name, body.echo().number(), now_);
  } else if (body.has_daemon_output()) {
    if (body.daemon_output().job() != job_.id || !job_.launchers.contains(name)) return;
    Message forward;
    forward.body = body;
    forward.peer = job_.launchers.at(name).peer;
    (void)private_.send(std::move(forward));
  } else if (body.has_facts()) {
    const double ahead_ms = static_cast<double>(body.facts().wall_clock_ms()) - static_cast<double>(wall_clock_ms());
    facts_.answered(name, body.facts().json(), ahead_ms, now_);
  } else if (body.has_out_of_memory()) {
    on_out_of_memory(name, body.out_of_memory().job());
  } else if (body.has_daemon_ended()) {
    on_daemon_ended(name, body.daemon_ended());
  } else {
    refuse(message.peer, "a node beats and tells of its daemon");
  }
}

void Supervisor::on_private(Message message) {
  wire::Envelope& body = message.body;
  if (body.has_rank_hello())
    on_rank_beat(message.peer, body.rank_hello());
  else if (body.has_job_ready())
    on_ready(message.peer, body.job_ready());
  else if (body.has_work_done())
    on_done(message);
  else if (body.has_job_look())
    on_look(body.job_look());
  else if (body.has_job_refused())
    on_refused(body.job_refused());
  else if (body.has_launch_request())
    on_launch(message.peer, body.launch_request());
}

void Supervisor::reply(const std::string& peer, Message message) {
  ensure(!peer.empty(), "a peer has a socket");
  message.peer = peer.substr(1);
  (void)public_.at(static_cast<std::size_t>(peer.front())).send(std::move(message));
}

void Supervisor::refuse(const std::string& peer, const std::string& reason) {
  reply(peer, message_with([&](wire::Envelope& body) { body.mutable_refused()->set_reason(reason); }));
}

void Supervisor::send_answer(FrameQueue::Answer answer) {
  Message message = message_with([&](wire::Envelope& body) { *body.mutable_result() = std::move(answer.result); });
  message.parts = std::move(answer.parts);
  reply(answer.peer, std::move(message));
}

void Supervisor::happened(const std::string& kind, const std::string& text) {
  log(LogLevel::info, kind + ": " + text);
  state_.events.push_back({in_ms(now_ - began_) / 1000, kind, text});
  if (state_.events.size() > most_events) state_.events.pop_front();
}

State& Supervisor::observed() {
  constexpr const char* phases[] = {"none", "starting", "ready", "ending"};
  state_.model = job_.about.model();
  state_.model_hash = job_.about.model_hash();
  state_.build = options_.build;
  state_.up_s = in_ms(now_ - began_) / 1000;
  state_.job = phases[static_cast<int>(job_.phase)];
  state_.epoch = job_.id;
  state_.strategy = job_.about.strategy();
  state_.predicted_ms = job_.about.predicted_ms();
  state_.waiting = queue_.waiting();
  state_.running = queue_.running();
  state_.held = queue_.held();
  state_.clients = queue_.clients();
  state_.replayed = queue_.replayed();
  state_.malformed = private_.dropped();
  for (const Socket& socket : public_) state_.malformed += socket.dropped();
  state_.nodes.clear();
  for (const auto& [name, node] : members_.nodes())
    state_.nodes.push_back({.name = name,
                            .host = node.about.host(),
                            .there = node.there,
                            .in_job = is_in_job(name),
                            .cores = static_cast<int>(node.about.cores()),
                            .slow_link = links_.is_slow(name),
                            .echo_ms = in_ms(links_.last_echo(name)),
                            .losses = node.losses,
                            .heard_ms = in_ms(now_ - node.heard),
                            .load = node.health.load(),
                            .temperature_c = node.health.temperature_c(),
                            .memory_free_mb = node.health.memory_free_mb(),
                            .clock_mhz = node.health.clock_mhz()});
  state_.ranks.clear();
  for (std::size_t i = 0; i < job_.ranks.size(); ++i) {
    const Rank& rank = job_.ranks[i];
    const std::optional<Time> heard = heard_of(rank);
    state_.ranks.push_back({.rank = static_cast<int>(i),
                            .host = rank.host,
                            .pid = rank.pid,
                            .heard_ms = heard ? in_ms(now_ - *heard) : 0,
                            .share = rank.share.share(),
                            .axis = rank.share.axis(),
                            .begin = rank.share.begin(),
                            .end = rank.share.end(),
                            .compute_ms = rank.times.compute_ms(),
                            .wait_ms = rank.times.wait_ms(),
                            .sent_bytes = rank.times.sent_bytes(),
                            .received_bytes = rank.times.received_bytes(),
                            .peak_mb = rank.times.peak_mb()});
  }
  return state_;
}

}  // namespace strake::cluster
