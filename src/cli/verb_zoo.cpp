// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/verbs.hpp"
#include "onnx/zoo.hpp"

namespace strake::cli {

namespace {

struct ZooOptions {
  std::string name;
  std::string file;
  std::string size;
  std::uint64_t seed = 1;
};

std::optional<zoo::ZooSize> size_of_text(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t x = text.find('x');
  const auto number = [&](const std::string& part) {
    const double value = numbers_of(part, "--size").front();
    if (value < 1 || value > 65536 || value != static_cast<double>(static_cast<Index>(value)))
      throw InvalidInput("--size expects HxW in whole pixels up to 65536, got '" + text + "'");
    return static_cast<Index>(value);
  };
  if (x == std::string::npos) throw InvalidInput("--size expects HxW such as 224x224, got '" + text + "'");
  return zoo::ZooSize{number(text.substr(0, x)), number(text.substr(x + 1))};
}

int write_model(const Context& context, const ZooOptions& options) {
  if (context.is_root()) zoo::write(options.name, size_of_text(options.size), options.seed, options.file);
  return 0;
}

}  // namespace

void add_zoo(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<ZooOptions>();
  CLI::App* sub = app.add_subcommand("zoo", "Write a standard architecture with seeded random weights as ONNX");
  sub->add_option("NAME", options->name, "Architecture")->required()->check(CLI::IsMember(zoo::names()));
  sub->add_option("-o,--output", options->file, "ONNX file")->required();
  sub->add_option("--size", options->size, "HxW of the input in place of its usual size");
  sub->add_option("--seed", options->seed, "Of the weights")->capture_default_str();
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
  add_zoo(app, context, verb);
}

}  // namespace strake::cli
