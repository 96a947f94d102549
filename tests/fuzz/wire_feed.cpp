// SPDX-License-Identifier: Apache-2.0
#include "fuzz/wire_feed.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "cluster/agent.hpp"
#include "cluster/client.hpp"
#include "cluster/daemon.hpp"
#include "cluster/metrics.hpp"
#include "cluster/process.hpp"
#include "cluster/supervisor.hpp"
#include "core/errors.hpp"

namespace strake::cluster {

/// The friend of those that listen.
struct Feeder {
  static void as_client(Supervisor& to, Message message) {
    message.peer = "peer";
    to.on_public(0, std::move(message));
  }
  static void as_node(Supervisor& to, Message message) {
    message.peer = std::string(1, '\0') + "peer";
    message.user = "node edge2 KEY";
    to.on_node("edge2", message);
  }
  static void as_job(Supervisor& to, Message message) {
    message.peer = "peer";
    to.on_private(std::move(message));
  }
  static void look(Supervisor& at) {
    at.feed();
    (void)to_json(at.observed());
    (void)metrics_text(at.observed());
  }
  static void as_supervisor(Agent& to, const Message& message) {
    // What it would start is checked; starting it is no matter of messages.
    if (!message.body.has_start_daemon()) return to.on_supervisor(message.body);
    const auto& words = message.body.start_daemon().arguments();
    try {
      (void)daemon_command({words.begin(), words.end()});
    } catch (const InvalidInput&) {
      return;
    }
  }
  static void as_supervisor(Client& to, Message message) { to.on_message(std::move(message)); }
  static void forget_refusal(Client& client) {
    const std::scoped_lock lock(client.mutex_);
    client.refused_.clear();
  }
};

}  // namespace strake::cluster

namespace strake::fuzz {

namespace {

using cluster::Feeder;
using cluster::Message;

cluster::Signals& signals() {
  static cluster::Signals all;
  return all;
}

cluster::SupervisorOptions supervisor_options() {
  cluster::SupervisorOptions options;
  options.local.port = 0;
  options.build = "build";
  options.worker = {"worker"};
  return options;
}

// These two keep threads and connections, so there is one of each; nobody listens where they would connect.
cluster::Agent& agent() {
  static cluster::Agent one({.supervisor = {.host = "127.0.0.1", .port = 9},
                             .identity = {.role = cluster::Role::node,
                                          .name = "edge2",
                                          .pair = cluster::make_key_pair(),
                                          .server_key = cluster::make_key_pair().public_key},
                             .build = "build",
                             .facts = [] { return std::string("{}"); }},
                            signals());
  return one;
}

cluster::Client& client() {
  static cluster::Client one({.address = {.host = "127.0.0.1", .port = 9}, .identity = std::nullopt});
  return one;
}

// Bytes that run out give zeros.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  std::uint32_t number(std::size_t n_bytes) {
    std::uint32_t value = 0;
    const auto part = take(n_bytes);
    for (std::size_t i = 0; i < part.size(); ++i) value |= static_cast<std::uint32_t>(part[i]) << (8 * i);
    return value;
  }
  std::span<const std::uint8_t> take(std::size_t n) {
    const auto part = bytes_.first(std::min(n, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return part;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::optional<Message> message_of(Reader& reader, std::size_t n_parts) {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i <= n_parts; ++i) lengths.push_back(reader.number(3));
  const auto envelope = reader.take(lengths.front());
  Message message;
  for (std::size_t i = 1; i < lengths.size(); ++i) {
    const auto part = reader.take(lengths[i]);
    message.parts.emplace_back(part.data(), part.size());
  }
  std::optional<wire::Envelope> body = cluster::parse_envelope(envelope.data(), envelope.size());
  if (!body) return std::nullopt;
  message.body = std::move(*body);
  if (cluster::fault_of(message)) return std::nullopt;
  return message;
}

void hand_over(cluster::Supervisor& supervisor, Ear ear, Message message) {
  switch (ear) {
    case Ear::client_of_supervisor:
      return Feeder::as_client(supervisor, std::move(message));
    case Ear::node_of_supervisor:
      return Feeder::as_node(supervisor, std::move(message));
    case Ear::job_of_supervisor:
      return Feeder::as_job(supervisor, std::move(message));
    case Ear::agent:
      return Feeder::as_supervisor(agent(), message);
    case Ear::client:
      return Feeder::as_supervisor(client(), std::move(message));
    case Ear::n_ears:
      return;
  }
}

template <class Fill>
wire::Envelope envelope(Fill fill) {
  return cluster::message_with(fill).body;
}

void add_tensor(cluster::Tensors& list, const std::string& name) {
  wire::Tensor& tensor = *list.Add();
  tensor.set_name(name);
  tensor.add_shape(2);
  tensor.add_shape(3);
}

}  // namespace

std::string record(Ear ear, const wire::Envelope& body, const std::vector<std::string>& parts) {
  std::string bytes{static_cast<char>(ear), static_cast<char>(parts.size())};
  std::vector<std::string> all{body.SerializeAsString()};
  all.insert(all.end(), parts.begin(), parts.end());
  for (const std::string& part : all)
    for (int i = 0; i < 3; ++i) bytes += static_cast<char>(part.size() >> (8 * i));
  for (const std::string& part : all) bytes += part;
  return bytes;
}

void feed_messages(std::span<const std::uint8_t> bytes) {
  constexpr int most_messages = 64;
  cluster::Supervisor supervisor(supervisor_options(), signals());
  Reader reader(bytes);
  for (int i = 0; i < most_messages && !reader.at_end(); ++i) {
    const auto ear = static_cast<Ear>(reader.number(1) % static_cast<std::uint32_t>(Ear::n_ears));
    constexpr std::uint32_t most_parts = 8;
    std::optional<Message> message = message_of(reader, reader.number(1) % most_parts);
    if (message) hand_over(supervisor, ear, std::move(*message));
    Feeder::look(supervisor);
  }
  Feeder::forget_refusal(client());
}

std::vector<std::string> conversations() {
  const std::string id(16, 'c');
  const std::string values(24, 'v');
  const auto client_says = [&](const auto& fill, const std::vector<std::string>& parts = {}) {
    return record(Ear::client_of_supervisor, envelope(fill), parts);
  };
  const auto node_says = [&](const auto& fill) { return record(Ear::node_of_supervisor, envelope(fill), {}); };
  const auto job_says = [&](const auto& fill, const std::vector<std::string>& parts = {}) {
    return record(Ear::job_of_supervisor, envelope(fill), parts);
  };
  const auto agent_hears = [&](const auto& fill) { return record(Ear::agent, envelope(fill), {}); };
  const auto client_hears = [&](const auto& fill, const std::vector<std::string>& parts = {}) {
    return record(Ear::client, envelope(fill), parts);
  };
  using Body = wire::Envelope;
  const std::string hello = client_says([&](Body& body) {
    body.mutable_hello()->set_client(id);
    body.mutable_hello()->add_received(3);
  });
  const std::string submit = client_says(
      [&](Body& body) {
        body.mutable_submit()->set_client(id);
        body.mutable_submit()->set_number(1);
        add_tensor(*body.mutable_submit()->mutable_tensors(), "input");
      },
      {values});
  const std::string ready = job_says([](Body& body) {
    wire::JobReady& job = *body.mutable_job_ready();
    job.set_model("net");
    job.add_inputs()->set_name("input");
    job.add_outputs()->add_shape(1000);
    job.add_ranks()->set_host("edge1");
    job.set_in_flight(2);
  });
  const std::string done = job_says(
      [](Body& body) {
        body.mutable_work_done()->set_ticket(1);
        add_tensor(*body.mutable_work_done()->mutable_tensors(), "output");
      },
      {values});
  const std::string rank = job_says([](Body& body) { body.mutable_rank_hello()->set_pid(1); });
  const std::string look = job_says([](Body& body) {
    body.mutable_job_look()->add_ranks()->set_compute_ms(2);
    body.mutable_job_look()->set_trace("{}");
  });
  const std::string node = node_says([](Body& body) {
    body.mutable_register_()->set_build("build");
    body.mutable_register_()->set_host("edge2");
    body.mutable_register_()->set_incarnation(5);
  });
  return {
      hello + submit + client_says([](Body& body) { body.mutable_status_request(); }) + client_says([](Body& body) {
        body.mutable_facts_request();
      }) + client_says([&](Body& body) { body.mutable_goodbye()->set_client(id); }),
      rank + ready + hello + submit + done + look,
      node + node_says([](Body& body) {
        body.mutable_beat()->set_incarnation(5);
        body.mutable_beat()->mutable_health()->set_load(0.5);
        body.mutable_beat()->add_ranks()->set_pid(7);
      }) + node_says([](Body& body) { body.mutable_echo()->set_number(1); }) +
          node_says([](Body& body) { body.mutable_out_of_memory()->set_job(1); }) + node_says([](Body& body) {
            body.mutable_facts()->set_json("{}");
            body.mutable_facts()->set_wall_clock_ms(std::numeric_limits<std::int64_t>::min());
          }) +
          node_says([](Body& body) { body.mutable_daemon_output()->set_text("orted"); }) +
          node_says([](Body& body) { body.mutable_daemon_ended()->set_exit_code(1); }),
      rank + job_says([](Body& body) {
        body.mutable_launch_request()->set_host("edge2");
        body.mutable_launch_request()->add_arguments("orted");
      }) + job_says([](Body& body) { body.mutable_job_refused()->set_reason("no"); }),
      agent_hears([](Body& body) { body.mutable_beat_answer()->set_registered(true); }) + agent_hears([](Body& body) {
        for (const char* word : {"orted", "-mca", "ess", "\"env\"", "-mca", "orte_hnp_uri", "\"1.0;tcp://10.0.0.1:1\""})
          body.mutable_start_daemon()->add_arguments(word);
      }) + agent_hears([](Body& body) { body.mutable_echo()->set_filling("12"); }) +
          agent_hears([](Body& body) { body.mutable_facts_request(); }) +
          agent_hears([](Body& body) { body.mutable_stop_daemon()->set_job(1); }) +
          agent_hears([](Body& body) { body.mutable_refused()->set_reason("no"); }),
      client_hears([](Body& body) {
        body.mutable_welcome()->set_window(4);
        body.mutable_welcome()->set_ready(true);
        body.mutable_welcome()->add_inputs()->add_shape(3);
        body.mutable_welcome()->add_unanswered(1);
      }) +
          client_hears(
              [](Body& body) {
                body.mutable_result()->set_number(1);
                add_tensor(*body.mutable_result()->mutable_tensors(), "output");
              },
              {values}) +
          client_hears([](Body& body) { body.mutable_busy()->set_number(1); }) +
          client_hears([](Body& body) { body.mutable_refused()->set_reason("no"); }),
  };
}

}  // namespace strake::fuzz
