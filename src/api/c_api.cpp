// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <chrono>
#include <cmath>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "strake/client.hpp"
#include "strake/engine.hpp"
#include "strake/strake.h"

struct strake_options {
  strake::EngineOptions options;
};

struct strake_engine {
  strake::Engine engine;
};

struct strake_client {
  strake::Client client;
  std::mutex mutex;
  std::vector<strake::PortInfo> inputs;  // guarded by mutex; once known they stay
};

struct strake_result {
  strake::Result result;
};

namespace {

using strake::InvalidInput;

std::string& last_error() {
  thread_local std::string text;
  return text;
}

strake_status failed(strake_status status, const char* text) noexcept {
  try {
    last_error() = text;
  } catch (...) {
    // No memory for the text; the status says enough.
    last_error().clear();
  }
  return status;
}

// Nothing thrown passes into C.
template <class Call>
strake_status guarded(const Call& call) noexcept {
  try {
    call();
    return STRAKE_OK;
  } catch (const InvalidInput& error) {
    return failed(STRAKE_INVALID_INPUT, error.what());
  } catch (const strake::QueueFull& error) {
    return failed(STRAKE_QUEUE_FULL, error.what());
  } catch (const strake::DeadlineMissed& error) {
    return failed(STRAKE_DEADLINE_MISSED, error.what());
  } catch (const std::bad_alloc&) {
    return failed(STRAKE_FAILED, "out of memory");
  } catch (const std::exception& error) {
    return failed(STRAKE_FAILED, error.what());
  } catch (...) {
    return failed(STRAKE_FAILED, "an unknown error");
  }
}

void expect_pointer(const void* pointer, const char* what) {
  if (pointer == nullptr) throw InvalidInput(std::string(what) + " is NULL");
}

double number_from(const std::string& name, std::string_view text, double low, double high, bool whole) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool fits = error == std::errc() && end == text.data() + text.size() && value >= low && value <= high;
  if (!fits || (whole && value != std::floor(value)))
    throw InvalidInput("option " + name + " expects a " + (whole ? "whole " : "") + "number from " +
                       std::to_string(static_cast<std::int64_t>(low)) + " to " +
                       std::to_string(static_cast<std::int64_t>(high)) + ", got '" + std::string(text) + "'");
  return value;
}

bool second_of(const std::string& name, const std::string& text, const char* first, const char* second) {
  if (text == second) return true;
  if (text == first) return false;
  throw InvalidInput("option " + name + " expects " + first + " or " + second + ", got '" + text + "'");
}

using Setter = std::function<void(strake::EngineOptions&, const std::string& name, const std::string& value)>;

Setter text_into(std::string strake::EngineOptions::*field) {
  return
      [field](strake::EngineOptions& options, const std::string&, const std::string& value) { options.*field = value; };
}

const std::map<std::string, Setter>& setters() {
  using strake::EngineOptions;
  constexpr double many = 1e9;
  static const std::map<std::string, Setter> all{
      {"model", text_into(&EngineOptions::model)},
      {"strategy", text_into(&EngineOptions::strategy)},
      {"objective", text_into(&EngineOptions::objective)},
      {"plan", text_into(&EngineOptions::plan)},
      {"kernels", text_into(&EngineOptions::kernels)},
      {"weights", text_into(&EngineOptions::weights)},
      {"transfer_dtype", text_into(&EngineOptions::transfer_dtype)},
      {"axis", text_into(&EngineOptions::axis)},
      {"rate", [](EngineOptions& o, const std::string& name,
                  const std::string& value) { o.rate = number_from(name, value, 0, many, false); }},
      {"max_memory_mb", [](EngineOptions& o, const std::string& name,
                           const std::string& value) { o.max_memory_mb = number_from(name, value, 0, many, false); }},
      {"inflight",
       [](EngineOptions& o, const std::string& name, const std::string& value) {
         o.inflight = static_cast<int>(number_from(name, value, 1, 64, true));
       }},
      {"threads",
       [](EngineOptions& o, const std::string& name, const std::string& value) {
         o.threads = static_cast<int>(number_from(name, value, 0, 1024, true));
       }},
      {"timeout_ms",
       [](EngineOptions& o, const std::string& name, const std::string& value) {
         o.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(number_from(name, value, 1, many, true)));
       }},
      {"queue",
       [](EngineOptions& o, const std::string& name, const std::string& value) {
         o.queue = static_cast<std::size_t>(number_from(name, value, 1, many, true));
       }},
      {"exact", [](EngineOptions& o, const std::string& name,
                   const std::string& value) { o.exact = second_of(name, value, "0", "1"); }},
      {"when_full",
       [](EngineOptions& o, const std::string& name, const std::string& value) {
         o.when_full = second_of(name, value, "block", "refuse") ? strake::WhenFull::refuse : strake::WhenFull::block;
       }},
      {"late", [](EngineOptions& o, const std::string& name, const std::string& value) {
         o.late = second_of(name, value, "drop", "finish") ? strake::Late::finish : strake::Late::drop;
       }}};
  return all;
}

strake::Inputs inputs_of(const strake_tensor* tensors, std::size_t n) {
  if (n > 0) expect_pointer(tensors, "inputs");
  strake::Inputs inputs;
  for (std::size_t i = 0; i < n; ++i) {
    const strake_tensor& tensor = tensors[i];
    expect_pointer(tensor.name, "an input's name");
    if (tensor.rank > 0) expect_pointer(tensor.shape, "an input's shape");
    if (tensor.n_bytes > 0) expect_pointer(tensor.data, "an input's data");
    const strake::TensorView view(static_cast<strake::DataType>(tensor.type),
                                  {tensor.shape, tensor.shape + tensor.rank},
                                  {static_cast<const std::byte*>(tensor.data), tensor.n_bytes});
    if (!inputs.emplace(tensor.name, view).second)
      throw InvalidInput("input '" + std::string(tensor.name) + "' was given twice");
  }
  return inputs;
}

bool is_time(double ms) { return ms >= 0 && ms <= 1e12; }

std::chrono::nanoseconds nanoseconds_of(double ms) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(ms * 1e6));
}

// Of an engine or a client.
template <class Runner>
strake_status run(Runner* runner, const char* what, const strake_tensor* inputs, std::size_t n_inputs,
                  std::optional<std::chrono::nanoseconds> deadline, strake_result** result) {
  return guarded([&] {
    expect_pointer(runner, what);
    expect_pointer(result, "result");
    *result = nullptr;
    *result = new strake_result{runner->submit(inputs_of(inputs, n_inputs), deadline).get()};
  });
}

// The same, where `deadline_ms` is one.
template <class Runner>
strake_status run_until(Runner* runner, const char* what, const strake_tensor* inputs, std::size_t n_inputs,
                        double deadline_ms, strake_result** result) {
  if (!is_time(deadline_ms)) return failed(STRAKE_INVALID_INPUT, "deadline_ms is no time from now");
  return run(runner, what, inputs, n_inputs, nanoseconds_of(deadline_ms), result);
}

strake::Engine* engine_of(strake_engine* engine) { return engine == nullptr ? nullptr : &engine->engine; }
strake::Client* client_of(strake_client* client) { return client == nullptr ? nullptr : &client->client; }

void tell_port(const std::vector<strake::PortInfo>& inputs, std::size_t i, strake_tensor& info) {
  if (i >= inputs.size())
    throw InvalidInput("the model has " + std::to_string(inputs.size()) + " inputs, there is no input " +
                       std::to_string(i));
  info = {inputs[i].name.c_str(),
          static_cast<strake_type>(inputs[i].type),
          inputs[i].shape.size(),
          inputs[i].shape.data(),
          nullptr,
          0};
}

}  // namespace

const char* strake_last_error() { return last_error().c_str(); }

const char* strake_version() {
  static const std::string text = strake::version();
  return text.c_str();
}

strake_options* strake_options_new() { return new (std::nothrow) strake_options; }

void strake_options_free(strake_options* options) { delete options; }

strake_status strake_options_set(strake_options* options, const char* name, const char* value) {
  return guarded([&] {
    expect_pointer(options, "options");
    expect_pointer(name, "an option's name");
    expect_pointer(value, "an option's value");
    const auto setter = setters().find(name);
    if (setter == setters().end()) {
      std::string names;
      for (const auto& [known, set] : setters()) names += (names.empty() ? "" : ", ") + known;
      throw InvalidInput("there is no option '" + std::string(name) + "'; there are " + names);
    }
    setter->second(options->options, name, value);
  });
}

strake_status strake_options_set_shape(strake_options* options, const char* input, const int64_t* shape, size_t rank) {
  return guarded([&] {
    expect_pointer(options, "options");
    expect_pointer(input, "an input's name");
    if (rank > 0) expect_pointer(shape, "a shape");
    options->options.shapes[input] = {shape, shape + rank};
  });
}

strake_status strake_engine_open(const strake_options* options, strake_engine** engine) {
  return guarded([&] {
    expect_pointer(options, "options");
    expect_pointer(engine, "engine");
    *engine = nullptr;
    *engine = new strake_engine{strake::Engine(options->options)};
  });
}

void strake_engine_free(strake_engine* engine) { delete engine; }

int strake_engine_is_root(const strake_engine* engine) { return engine != nullptr && engine->engine.is_root() ? 1 : 0; }

int strake_engine_work(strake_engine* engine) {
  int exit_code = STRAKE_FAILED;
  const strake_status status = guarded([&] {
    expect_pointer(engine, "engine");
    exit_code = engine->engine.work();
  });
  return status == STRAKE_OK ? exit_code : status;
}

strake_status strake_engine_input(const strake_engine* engine, size_t i, strake_tensor* info) {
  return guarded([&] {
    expect_pointer(engine, "engine");
    expect_pointer(info, "info");
    tell_port(engine->engine.inputs(), i, *info);
  });
}

strake_status strake_engine_run(strake_engine* engine, const strake_tensor* inputs, size_t n_inputs,
                                strake_result** result) {
  return run(engine_of(engine), "engine", inputs, n_inputs, std::nullopt, result);
}

strake_status strake_engine_run_until(strake_engine* engine, const strake_tensor* inputs, size_t n_inputs,
                                      double deadline_ms, strake_result** result) {
  return run_until(engine_of(engine), "engine", inputs, n_inputs, deadline_ms, result);
}

strake_status strake_client_open(const char* address, const char* key_file, strake_client** client) {
  return guarded([&] {
    expect_pointer(address, "address");
    expect_pointer(client, "client");
    *client = nullptr;
    *client = new strake_client{strake::Client(address, key_file == nullptr ? "" : key_file), {}, {}};
  });
}

void strake_client_free(strake_client* client) { delete client; }

strake_status strake_client_input(strake_client* client, size_t i, double longest_ms, strake_tensor* info) {
  return guarded([&] {
    expect_pointer(client, "client");
    expect_pointer(info, "info");
    if (!is_time(longest_ms)) throw InvalidInput("longest_ms is no time from now");
    const std::scoped_lock lock(client->mutex);
    if (client->inputs.empty())
      client->inputs =
          client->client.inputs(std::chrono::duration_cast<std::chrono::milliseconds>(nanoseconds_of(longest_ms)));
    tell_port(client->inputs, i, *info);
  });
}

strake_status strake_client_run(strake_client* client, const strake_tensor* inputs, size_t n_inputs,
                                strake_result** result) {
  return run(client_of(client), "client", inputs, n_inputs, std::nullopt, result);
}

strake_status strake_client_run_until(strake_client* client, const strake_tensor* inputs, size_t n_inputs,
                                      double deadline_ms, strake_result** result) {
  return run_until(client_of(client), "client", inputs, n_inputs, deadline_ms, result);
}

size_t strake_result_size(const strake_result* result) { return result == nullptr ? 0 : result->result.outputs.size(); }

strake_status strake_result_output(const strake_result* result, size_t i, strake_tensor* output) {
  return guarded([&] {
    expect_pointer(result, "result");
    expect_pointer(output, "output");
    const auto& outputs = result->result.outputs;
    if (i >= outputs.size())
      throw InvalidInput("the result has " + std::to_string(outputs.size()) + " outputs, there is no output " +
                         std::to_string(i));
    const auto& [name, tensor] = *std::next(outputs.begin(), static_cast<std::ptrdiff_t>(i));
    *output = {name.c_str(),          static_cast<strake_type>(tensor.type()),
               tensor.shape().size(), tensor.shape().data(),
               tensor.bytes().data(), tensor.bytes().size()};
  });
}

double strake_result_latency_ms(const strake_result* result) {
  return result == nullptr ? 0 : result->result.latency_ms;
}

void strake_result_free(strake_result* result) { delete result; }
