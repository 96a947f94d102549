// SPDX-License-Identifier: Apache-2.0
// saved_plan MODEL PLAN.json: makes a plan where there is none and keeps it; with one, begins without measuring.
#include <cstdio>
#include <filesystem>
#include <strake/strake.hpp>

namespace {

int run(const char* model, const char* plan) {
  strake::EngineOptions options;
  options.model = model;
  const bool is_there = std::filesystem::exists(plan);
  if (is_there) options.plan = plan;
  strake::Engine engine(options);
  if (!engine.is_root()) return engine.work();
  if (!is_there) engine.save_plan(plan);
  std::printf("%s: plan '%s' for %d ranks, %s\n", plan, engine.plan().strategy.c_str(), engine.ranks(),
              is_there ? "from the file" : "made now");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: saved_plan MODEL PLAN.json\n"), 2;
  try {
    return run(argv[1], argv[2]);
  } catch (const strake::InvalidInput& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 2;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
