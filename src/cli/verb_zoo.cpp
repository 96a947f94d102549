// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>

#include "cli/numbers.hpp"
#include "cli/verbs.hpp"
#include "onnx/zoo.hpp"

namespace strake::cli {

namespace {

struct ZooOptions {
  std::string name;
  std::string file;
  std::optional<zoo::ZooSize> size;
  std::uint64_t seed = 1;
  bool quiet = false;
};

zoo::ZooSize size_of_text(const std::string& text) {
  zoo::ZooSize size;
  const char* end = text.data() + text.size();
  const auto [x, h_error] = std::from_chars(text.data(), end, size.h);
  const bool has_x = h_error == std::errc() && x != end && *x == 'x';
  const auto [rest, w_error] = std::from_chars(has_x ? x + 1 : end, end, size.w);
  constexpr std::int64_t most = 65536;
  if (!has_x || w_error != std::errc() || rest != end || size.h < 1 || size.w < 1 || size.h > most || size.w > most)
    throw CLI::ValidationError("--size",
                               "expected HxW in whole pixels from 1 to 65536, such as 224x224, got '" + text + "'");
  return size;
}

int write_model(const Context& context, const ZooOptions& options) {
  if (context.is_root()) zoo::write(options.name, options.size, options.seed, options.file);
  return 0;
}

}  // namespace

void add_zoo(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<ZooOptions>();
  CLI::App* sub = app.add_subcommand("zoo", "Write a standard architecture with seeded random weights as ONNX");
  sub->add_option("NAME", options->name, "Architecture")->required()->check(CLI::IsMember(zoo::names()));
  sub->add_option("-o,--output", options->file, "ONNX file")->required();
  sub->add_option_function<std::string>(
      "--size", [options](const std::string& text) { options->size = size_of_text(text); },
      "HxW of the input in place of its usual size");
  sub->add_option("--seed", options->seed, "Of the weights")->check(check_unsigned())->capture_default_str();
  sub->add_flag("-q,--quiet", options->quiet, "Print errors only; there is nothing else to print");
  sub->footer("Example:\n  strake zoo resnet50 -o resnet50.onnx --size 224x224");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return write_model(context, *options); }; });
}

void add_verbs(CLI::App& app, const Context& context, std::function<int()>& verb) {
  add_info(app, context, verb);
  add_run(app, context, verb);
  add_plan(app, context, verb);
  add_profile(app, context, verb);
  add_verify(app, context, verb);
  add_bench(app, context, verb);
  add_doctor(app, context, verb);
  add_zoo(app, context, verb);
  add_keys(app, context, verb);
  add_serve(app, context, verb);
  add_worker(app, context, verb);
  add_node(app, context, verb);
  add_launch(app, context, verb);
  add_submit(app, context, verb);
  add_status(app, context, verb);
  add_top(app, context, verb);
}

}  // namespace strake::cli
