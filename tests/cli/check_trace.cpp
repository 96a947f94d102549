// SPDX-License-Identifier: Apache-2.0
// check-trace TRACE REPORT FRAMES: exit code 0 if the file of --trace is sound, and has as many ranks and bytes a frame
// as the file that --json wrote beside it, and so many frames.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>

#include "trace_checks.hpp"

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("three arguments");
    std::ifstream trace_file(argv[1]);
    std::ifstream report_file(argv[2]);
    const strake::test::TraceChecker trace(nlohmann::json::parse(trace_file));
    const nlohmann::json ranks = nlohmann::json::parse(report_file).at("ranks");
    std::vector<std::string> complaints = trace.complaints();
    const auto expect = [&](const std::string& what, std::int64_t got, std::int64_t expected) {
      if (got != expected)
        complaints.push_back(what + ": " + std::to_string(got) + " instead of " + std::to_string(expected));
    };
    const std::int64_t frames = std::atoi(argv[3]);
    expect("ranks", trace.n_ranks(), static_cast<std::int64_t>(ranks.size()));
    expect("frames", static_cast<std::int64_t>(trace.n_frames()), frames);
    for (int rank = 0; rank < trace.n_ranks(); ++rank) {
      const nlohmann::json& report = ranks.at(static_cast<std::size_t>(rank));
      const std::string name = "rank " + std::to_string(rank);
      expect(name + " sent", trace.bytes(rank, "send"), frames * report.at("sent_bytes").get<std::int64_t>());
      expect(name + " received", trace.bytes(rank, "receive"),
             frames * report.at("received_bytes").get<std::int64_t>());
    }
    if (trace.n_kernels() == 0) complaints.emplace_back("no kernels");
    for (const std::string& complaint : complaints) std::printf("%s\n", complaint.c_str());
    return complaints.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "check-trace: %s\n", error.what());
    return 2;
  }
}
