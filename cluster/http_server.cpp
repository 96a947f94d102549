// SPDX-License-Identifier: Apache-2.0
#include "cluster/http_server.hpp"

#include <fcntl.h>
#include <httplib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>
#include <utility>

#include "cluster/addresses.hpp"
#include "cluster/metrics.hpp"
#include "cluster/page.hpp"
#include "core/errors.hpp"

namespace strake::cluster {

namespace {

using httplib::Request;
using httplib::Response;

constexpr int patience_s = 1;          // with a client that does not go on
constexpr std::size_t n_threads = 32;  // each may have to be patient with one

// "[::1]:7380" and "localhost:7380" without their ports.
std::string without_port(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

// Takes as long for every wrong text of the right length.
bool equal_secrets(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  return difference == 0;
}

void refuse(Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text + "\n", "text/plain; charset=utf-8");
}

// Whether the request may go on; else the answer says why not.
bool admit(const HttpSettings& settings, const Request& request, Response& response) {
  if (!settings.token.empty()) {
    std::string given = request.get_header_value("Authorization");
    constexpr std::string_view scheme = "Bearer ";
    if (given.starts_with(scheme))
      given.erase(0, scheme.size());
    else
      given = request.get_param_value("token");
    if (equal_secrets(given, settings.token)) return true;
    response.set_header("WWW-Authenticate", "Bearer");
    refuse(response, 401, "a token is needed: 'Authorization: Bearer TOKEN', or ?token=TOKEN");
    return false;
  }
  // A page of somebody else's, shown on this machine, could ask under a name of its own that leads here.
  if (is_loopback(Address{.host = without_port(request.get_header_value("Host"))})) return true;
  refuse(response, 403, "without a token this server answers under the names of loopback only");
  return false;
}

void keep_to_ourselves(Response& response) {
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Content-Security-Policy",
                      "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
                      "img-src 'self' data:; frame-ancestors 'none'");
}

}  // namespace

struct HttpServer::Impl {
  HttpSettings settings;
  std::shared_ptr<const StateBoard> board;
  httplib::Server server;
  int port = 0;
  std::jthread thread;

  void add_routes();
};

void HttpServer::Impl::add_routes() {
  server.set_pre_routing_handler([this](const Request& request, Response& response) {
    keep_to_ourselves(response);
    // Before anything else of it is read.
    if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      response.set_header("Connection", "close");
      refuse(response, 405, "there is nothing to change here: GET or HEAD");
      return httplib::Server::HandlerResponse::Handled;
    }
    // Whoever asks whether we live needs no secret for it.
    const bool open = request.path == "/health/live";
    return open || admit(settings, request, response) ? httplib::Server::HandlerResponse::Unhandled
                                                      : httplib::Server::HandlerResponse::Handled;
  });
  server.set_exception_handler([](const Request&, Response& response, std::exception_ptr) {
    refuse(response, 500, "an error of the server's own");
  });
  server.Get("/", [](const Request&, Response& response) {
    response.set_content(page.data(), page.size(), "text/html; charset=utf-8");
  });
  server.Get("/state", [this](const Request&, Response& response) {
    response.set_content(to_json(*board->get()), "application/json");
  });
  server.Get("/metrics", [this](const Request&, Response& response) {
    response.set_content(metrics_text(*board->get()), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/frame", [this](const Request&, Response& response) {
    const std::shared_ptr<const Preview> preview = board->get()->preview;
    if (!preview) return refuse(response, 404, "no frame with a picture came yet");
    response.set_header("X-Width", std::to_string(preview->width));
    response.set_header("X-Height", std::to_string(preview->height));
    response.set_content(reinterpret_cast<const char*>(preview->rgba.data()), preview->rgba.size(),
                         "application/octet-stream");
  });
  server.Get("/trace", [this](const Request&, Response& response) {
    const std::shared_ptr<const std::string> trace = board->get()->trace;
    if (!trace) return refuse(response, 404, "no frame was recorded yet");
    response.set_content(*trace, "application/json");
  });
  server.Get("/health/live", [](const Request&, Response& response) { refuse(response, 200, "alive"); });
  server.Get("/health/ready", [this](const Request&, Response& response) {
    const std::string job = board->get()->job;
    refuse(response, job == "ready" ? 200 : 503, job);
  });
}

void StateBoard::post(const State& state) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  auto copy = std::make_shared<const State>(state);
  const std::scoped_lock lock(mutex_);
  state_ = std::move(copy);
}

std::shared_ptr<const State> StateBoard::get() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

HttpServer::HttpServer(const HttpSettings& settings, std::shared_ptr<const StateBoard> board)
    : impl_(std::make_unique<Impl>()) {
  const std::string address = settings.host + ":" + std::to_string(settings.port);
  if (settings.token.empty() && !is_loopback(Address{.host = settings.host}))
    throw InvalidInput("--http " + address +
                       " is no loopback address: others may look only with a token (--http-token)");
  impl_->settings = settings;
  impl_->board = std::move(board);
  httplib::Server& server = impl_->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(n_threads); };  // NOLINT(*-owning-memory): its interface
  server.set_read_timeout(patience_s);
  server.set_write_timeout(patience_s);
  server.set_keep_alive_timeout(patience_s);
  server.set_payload_max_length(1024);
  // The library's own options let several servers share a port, and each would get a part of the requests.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    (void)setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  impl_->add_routes();
  impl_->port = settings.port == 0 ? server.bind_to_any_port(settings.host)
                                   : (server.bind_to_port(settings.host, settings.port) ? settings.port : -1);
  if (impl_->port < 0)
    throw InvalidInput("--http " + address +
                       " cannot be listened on: another program does, or it is no address of ours");
  impl_->thread = std::jthread([impl = impl_.get()] { impl->server.listen_after_bind(); });
  while (!server.is_running() && !impl_->thread.get_stop_token().stop_requested())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

HttpServer::~HttpServer() { impl_->server.stop(); }

int HttpServer::port() const { return impl_->port; }

std::string token_in(const std::string& file) {
  const int made = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (made >= 0) {
    std::random_device random;
    std::string token;
    constexpr std::string_view digits = "0123456789abcdef";
    for (int i = 0; i < 32; ++i) token += digits[random() % digits.size()];
    const std::string line = token + "\n";
    const bool written = write(made, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    if (close(made) != 0 || !written) {
      (void)unlink(file.c_str());
      throw InvalidInput("--http-token '" + file + "' cannot be written");
    }
    return token;
  }
  std::ifstream stream(file);
  std::string token;
  if (!(stream >> token) || token.size() < 16)
    throw InvalidInput("--http-token '" + file +
                       "' expects a file with a token of at least 16 characters, or none, where "
                       "one can be made");
  return token;
}

}  // namespace strake::cluster
