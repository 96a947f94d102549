// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/cluster_options.hpp"
#include "cli/numbers.hpp"
#include "cli/picture_input.hpp"
#include "cli/printable.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "cluster/process.hpp"
#include "core/log.hpp"
#include "engine/measure.hpp"
#include "io/file.hpp"
#include "io/npy.hpp"

namespace strake::cli {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

struct SubmitOptions {
  std::string address;
  std::string key;
  std::vector<std::string> files;
  InputOptions pictures;
  std::string output;
  std::string compare;
  std::string log;
  std::string json;
  int repeat = 1;
  double rate = 0;  // frames per second; 0 for as many as go
  double timeout_s = 60;
  bool quiet = false;
};

bool can_be_sent(const fs::path& file) {
  const std::string extension = file.extension().string();
  return is_picture(file.string()) || extension == ".npy" || extension == ".pb";
}

// Folders become the files in them, by name.
std::vector<std::string> all_files(const std::vector<std::string>& given) {
  std::vector<std::string> files;
  for (const std::string& name : given) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      files.push_back(name);
      continue;
    }
    std::vector<std::string> inside;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(name, error))
      if (can_be_sent(entry.path()) && !entry.path().filename().string().starts_with('.') &&
          entry.is_regular_file(ignored))
        inside.push_back(entry.path().string());
    if (error) throw InvalidInput("cannot read folder '" + name + "': " + error.message());
    if (inside.empty()) throw InvalidInput("folder '" + name + "' has no .npy, .pb, .png, .jpg or .jpeg");
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

// "FILE", or where the model has several inputs "NAME=FILE,NAME=FILE".
std::map<std::string, std::string> files_of_frame(const std::string& text, const cluster::ModelInfo& model) {
  if (model.inputs.size() == 1) {
    const std::string prefix = model.inputs.front().name + "=";
    return {{model.inputs.front().name, text.starts_with(prefix) ? text.substr(prefix.size()) : text}};
  }
  std::map<std::string, std::string> files;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos)
      throw InvalidInput("'" + text + "': the model has " + std::to_string(model.inputs.size()) +
                         " inputs; a frame is NAME=FILE,NAME=FILE");
    files[part.substr(0, equals)] = part.substr(equals + 1);
    begin = end + 1;
  }
  return files;
}

TensorMap frame_of(const std::string& text, const cluster::ModelInfo& model, const InputOptions& pictures) {
  TensorMap tensors;
  for (const auto& [name, file] : files_of_frame(text, model)) {
    const auto input = std::find_if(model.inputs.begin(), model.inputs.end(),
                                    [&, &wanted = name](const auto& port) { return port.name == wanted; });
    if (input == model.inputs.end()) throw InvalidInput("'" + text + "': the model has no input '" + name + "'");
    io::expect_regular_file(file, "an input file");
    tensors[name] = is_picture(file) ? fit_picture(ServedInput{input->name, input->type, input->shape}, file, pictures)
                                     : read_tensor(file);
  }
  return tensors;
}

std::string stem_of(const std::string& file) { return printable(fs::path(file).stem().string()); }

// A file of each output for each frame, named after the frame's file; those that would share a name are numbered.
class Results {
 public:
  Results(std::string directory, std::string expected)
      : directory_(std::move(directory)), expected_(std::move(expected)) {
    std::error_code nowhere;
    if (!expected_.empty() && !fs::is_directory(expected_, nowhere))
      throw InvalidInput("--compare '" + expected_ + "' is no folder");
    if (directory_.empty()) return;
    std::error_code error;
    fs::create_directories(directory_, error);
    std::error_code ignored;
    if (!fs::is_directory(directory_, ignored))
      throw InvalidInput("--output '" + directory_ + "' is no folder and cannot be made one");
  }

  [[nodiscard]] std::string stem_for(const std::string& file) {
    const std::string stem = stem_of(file);
    std::string unique = stem;
    for (int i = 2; !taken_.insert(unique).second; ++i) unique = stem + "_" + std::to_string(i);
    return unique;
  }

  /// @param stem  of the frame's file, which all repetitions share @param unique  of this one
  /// @return whether they are as expected, where something is expected
  [[nodiscard]] bool take(const std::string& stem, const std::string& unique, const TensorMap& outputs) {
    bool right = true;
    for (const auto& [name, tensor] : outputs) {
      std::string safe = name;
      std::replace_if(
          safe.begin(), safe.end(),
          [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; }, '_');
      if (!directory_.empty()) io::write_npy(fs::path(directory_) / (unique + "." + safe + ".npy"), tensor);
      if (!expected_.empty()) right = is_expected(stem + "." + safe + ".npy", tensor) && right;
    }
    return right;
  }

 private:
  bool is_expected(const std::string& file, const HostTensor& tensor) {
    auto known = known_.find(file);
    if (known == known_.end()) known = known_.emplace(file, io::read_npy(fs::path(expected_) / file)).first;
    const HostTensor& expected = known->second;
    return expected.type == tensor.type && expected.shape == tensor.shape &&
           (tensor.data.size_bytes() == 0 ||
            std::memcmp(expected.data.data(), tensor.data.data(), tensor.data.size_bytes()) == 0);
  }

  std::string directory_;
  std::string expected_;
  std::map<std::string, HostTensor> known_;
  std::set<std::string> taken_;
};

struct Sent {
  std::string file;
  std::string stem;
};

struct Tally {
  std::vector<double> latencies_ms;
  std::vector<double> compute_ms;
  std::set<std::uint64_t> epochs;
  int failed = 0;
  int wrong = 0;
};

// A line for each result, at once: seconds since 1970, frame, epoch of the job, latency and compute in ms, outcome.
class ResultLog {
 public:
  explicit ResultLog(std::string file) : file_(std::move(file)) {
    if (file_.empty()) return;
    io::check_writable(file_);
    stream_.open(file_);
  }

  /// @throws InvalidInput where the line cannot be written
  void add(const cluster::ClientResult& result, const char* outcome) {
    if (file_.empty()) return;
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    errno = 0;
    stream_ << fmt::format("{:.4f},{},{},{:.3f},{:.3f},{}\n", now, result.number, result.epoch,
                           static_cast<double>(result.latency.count()) / 1000,
                           static_cast<double>(result.compute.count()) / 1000, outcome)
            << std::flush;
    if (!stream_) throw InvalidInput("--log: cannot write '" + file_ + "': " + std::strerror(errno));
  }

 private:
  std::string file_;
  std::ofstream stream_;
};

void take(const cluster::ClientResult& result, std::map<std::uint64_t, Sent>& sent, Results& results, Tally& tally,
          ResultLog& log_file) {
  const auto found = sent.find(result.number);
  ensure(found != sent.end(), "a result belongs to a frame that was sent and not answered");
  tally.epochs.insert(result.epoch);
  if (result.error.empty()) {
    tally.latencies_ms.push_back(static_cast<double>(result.latency.count()) / 1000);
    tally.compute_ms.push_back(static_cast<double>(result.compute.count()) / 1000);
    const bool right = results.take(stem_of(found->second.file), found->second.stem, result.outputs);
    log_file.add(result, right ? "right" : "wrong");
    if (!right) {
      ++tally.wrong;
      log(LogLevel::error, "'" + found->second.file + "', frame " + std::to_string(result.number) +
                               ": the result is not the expected one");
    }
  } else {
    ++tally.failed;
    log_file.add(result, "failed");
    log(LogLevel::error, "'" + found->second.file + "': " + result.error);
  }
  sent.erase(found);
}

nlohmann::json percentiles_json(const engine::Percentiles& ms) {
  return {{"p50", ms.p50}, {"p90", ms.p90}, {"p99", ms.p99}, {"min", ms.min}, {"max", ms.max}, {"mean", ms.mean}};
}

constexpr int exit_asked_to_end = 130;  // as a shell says of SIGINT

// Nothing when asked to end before the cluster answers: then nothing is on its way.
std::optional<cluster::ModelInfo> served_model(cluster::Client& client, milliseconds longest,
                                               cluster::Signals& signals) {
  const auto end = std::chrono::steady_clock::now() + longest;
  constexpr milliseconds look(100);
  while (!signals.asked_to_end()) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    try {
      return client.model(std::clamp(left, milliseconds(0), look));
    } catch (const PeerLost&) {
      if (left <= look) throw;
    }
  }
  return std::nullopt;
}

int submit(const Context& context, const SubmitOptions& options) {
  expect_one_process(context, "submit");
  set_verbosity(false, options.quiet);
  // Asked to end, it waits for the results of what it has sent.
  cluster::Signals signals;
  const std::vector<std::string> files = all_files(options.files);
  if (!options.json.empty()) io::check_writable(options.json);
  Results results(options.output, options.compare);
  ResultLog log_file(options.log);
  const cluster::Address address = cluster::address_of(options.address);
  cluster::Client client({address, identity_for(address, options.key)});
  const auto longest = milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
  const std::optional<cluster::ModelInfo> found = served_model(client, longest, signals);
  if (!found) return exit_asked_to_end;
  const cluster::ModelInfo& model = *found;

  // Files are read once.
  std::vector<TensorMap> frames;
  for (const std::string& file : files) frames.push_back(frame_of(file, model, options.pictures));
  std::map<std::uint64_t, Sent> sent;
  Tally tally;
  const auto begin = std::chrono::steady_clock::now();
  auto last_result = begin;
  const auto collect = [&](milliseconds wait) {
    const std::optional<cluster::ClientResult> result = client.next(wait);
    const auto now = std::chrono::steady_clock::now();
    if (signals.asked_twice())
      throw PeerLost("asked to end again: " + std::to_string(sent.size()) + " frames are without result");
    if (result) {
      take(*result, sent, results, tally, log_file);
      last_result = now;
    } else if (sent.empty()) {
      last_result = now;
    } else if (now - last_result > longest) {
      throw PeerLost("no result came for " + std::to_string(options.timeout_s) + " s; " + std::to_string(sent.size()) +
                     " frames are without");
    }
    return result.has_value();
  };
  double n_sent = 0;
  for (int round = 0; round < options.repeat && !signals.asked_to_end(); ++round)
    for (std::size_t i = 0; i < files.size() && !signals.asked_to_end(); ++i) {
      // Without a rate as fast as it goes.
      const auto due = begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                   std::chrono::duration<double>(options.rate > 0 ? n_sent / options.rate : 0));
      for (auto now = std::chrono::steady_clock::now(); options.rate > 0 && now < due;
           now = std::chrono::steady_clock::now())
        (void)collect(std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(due - now)));
      ++n_sent;
      // As many on their way as the cluster takes; results are fetched meanwhile.
      while (client.is_full()) (void)collect(milliseconds(100));
      const std::uint64_t number = client.submit(frames[i]);
      sent[number] = {files[i], results.stem_for(files[i])};
      while (collect(milliseconds(0))) {
      }
    }
  while (!sent.empty()) (void)collect(milliseconds(100));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  const engine::Percentiles latency = engine::percentiles(tally.latencies_ms);
  const auto answered = tally.latencies_ms.size();
  if (!options.quiet)
    write_stdout(printable(fmt::format("{}: {} frames, {} failed{}, {}, {:.1f} frames/s\n", model.name,
                                       answered + static_cast<std::size_t>(tally.failed), tally.failed,
                                       options.compare.empty() ? "" : fmt::format(", {} wrong", tally.wrong),
                                       latency_text(latency), static_cast<double>(answered) / seconds)));
  if (!options.json.empty())
    io::write_file(options.json, nlohmann::json{{"model", model.name},
                                                {"frames", answered},
                                                {"failed", tally.failed},
                                                {"wrong", tally.wrong},
                                                {"seconds", seconds},
                                                {"epochs", tally.epochs},
                                                {"latency_ms", percentiles_json(latency)},
                                                {"compute_ms", percentiles_json(engine::percentiles(tally.compute_ms))}}
                                         .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
                                     "\n");
  return tally.failed + tally.wrong > 0 ? 1 : 0;
}

}  // namespace

void add_submit(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<SubmitOptions>();
  CLI::App* sub = app.add_subcommand("submit", "Send frames to a cluster and write its results");
  add_address(*sub, options->address);
  sub->add_option("FILES", options->files,
                  "A frame each: .npy, .pb, .png, .jpg, or a folder of such; NAME=FILE,NAME=FILE for several inputs")
      ->required();
  sub->add_option("-o,--output", options->output, "Folder for the results: FRAME.OUTPUT.npy")->check(check_file_name());
  sub->add_option("--compare", options->compare,
                  "Folder of results, named as --output names them: others are wrong, bit by bit")
      ->check(check_file_name());
  sub->add_option("--rate", options->rate, "Frames per second; by default as many as the cluster takes")
      ->check(check_number(number_between(0.001, 1e6)));
  sub->add_option(
         "--log", options->log,
         "CSV with a line for each result: seconds since 1970, frame, epoch, latency and compute in ms, outcome")
      ->check(check_file_name());
  add_key_option(*sub, options->key);
  add_picture_options(*sub, options->pictures);
  sub->add_option("--repeat", options->repeat, "Send all of them so many times")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  sub->add_option("--timeout", options->timeout_s, "Seconds without any result after which it gives up")
      ->check(check_number(number_between(0.1, 1e6)))
      ->capture_default_str();
  sub->add_option("--json", options->json, "Also write what is printed to this file")->check(check_file_name());
  sub->add_flag("-q,--quiet", options->quiet, "Print errors only");
  sub->footer("Example:\n  strake submit tcp://edge1:7300 frames/ -o results");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return submit(context, *options); }; });
}

}  // namespace strake::cli
