// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What must hold in every file of `--trace`, found out from the file alone.

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace strake::test {

/// A slice, times in whole nanoseconds.
struct TraceSlice {
  int pid = 0;
  int tid = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string category;
  std::string name;
  nlohmann::json args;
};

class TraceChecker {
 public:
  explicit TraceChecker(const nlohmann::json& trace) {
    for (const nlohmann::json& event : trace.at("traceEvents")) read(event);
    std::sort(slices_.begin(), slices_.end(), [](const TraceSlice& a, const TraceSlice& b) {
      return std::tuple(a.pid, a.tid, a.begin, -a.end) < std::tuple(b.pid, b.tid, b.begin, -b.end);
    });
    check_names();
    check_nesting();
    check_frames();
    check_flows();
  }

  /// What is wrong, a line each.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  [[nodiscard]] int n_ranks() const { return static_cast<int>(names_.size()); }
  /// Of each rank.
  [[nodiscard]] std::size_t n_frames() const { return n_frames_; }
  [[nodiscard]] std::size_t n_kernels() const {
    return static_cast<std::size_t>(
        std::count_if(slices_.begin(), slices_.end(), [](const TraceSlice& slice) { return slice.tid == 2; }));
  }
  /// Bytes in all messages of a rank's slices of this category ("send", "receive"), over all frames.
  [[nodiscard]] std::int64_t bytes(int rank, const std::string& category) const {
    std::int64_t sum = 0;
    for (const TraceSlice& slice : slices_)
      if (slice.pid == rank + 1 && slice.category == category)
        for (const nlohmann::json& message : slice.args.at("messages")) sum += message.at("bytes").get<std::int64_t>();
    return sum;
  }

 private:
  // One end of a message.
  struct End {
    int pid = 0;
    int tid = 0;
    std::int64_t time = 0;
  };

  void complain(const std::string& what) { complaints_.push_back(what); }

  static std::int64_t ns(const nlohmann::json& microseconds) { return std::llround(microseconds.get<double>() * 1000); }

  void read(const nlohmann::json& event) {
    const auto phase = event.at("ph").get<std::string>();
    const int pid = event.at("pid").get<int>();
    const int tid = event.at("tid").get<int>();
    if (phase == "M") {
      if (event.at("name") == "process_name") names_[pid] = event.at("args").at("name").get<std::string>();
    } else if (phase == "X") {
      const std::int64_t begin = ns(event.at("ts"));
      slices_.push_back({pid, tid, begin, begin + ns(event.at("dur")), event.at("cat").get<std::string>(),
                         event.at("name").get<std::string>(), event.value("args", nlohmann::json::object())});
      if (begin < 0 || slices_.back().end < begin) complain("'" + slices_.back().name + "' ends before it begins");
    } else if (phase == "s" || phase == "f") {
      auto& ends = phase == "s" ? starts_ : finishes_;
      const auto id = event.at("id").get<std::int64_t>();
      if (!ends.emplace(id, End{pid, tid, ns(event.at("ts"))}).second)
        complain("message " + std::to_string(id) + " has two events '" + phase + "'");
      if (phase == "f" && event.value("bp", "") != "e") complain("a flow does not end in the slice around it");
    } else {
      complain("unknown phase '" + phase + "'");
    }
  }

  void check_names() {
    int pid = 0;
    for (const auto& [number, name] : names_)
      if (number != ++pid || !name.starts_with("rank " + std::to_string(pid - 1) + " on "))
        complain("process " + std::to_string(number) + " is called '" + name + "'");
    for (const TraceSlice& slice : slices_)
      if (!names_.contains(slice.pid) || slice.tid < 1 || slice.tid > 3) complain("'" + slice.name + "' has no place");
  }

  void check_nesting() {
    std::vector<const TraceSlice*> open;
    for (const TraceSlice& slice : slices_) {
      while (!open.empty() &&
             (open.back()->pid != slice.pid || open.back()->tid != slice.tid || open.back()->end <= slice.begin))
        open.pop_back();
      if (!open.empty() && open.back()->end < slice.end)
        complain("'" + slice.name + "' begins in '" + open.back()->name + "' and ends behind it");
      if (!open.empty() && slice.tid != 1) complain("'" + slice.name + "' lies in '" + open.back()->name + "'");
      open.push_back(&slice);
    }
  }

  // Every rank has the same frames one after the other, and whatever it does it does in one of them.
  void check_frames() {
    std::map<int, std::vector<const TraceSlice*>> frames;
    for (const TraceSlice& slice : slices_)
      if (slice.name.starts_with("frame ")) frames[slice.pid].push_back(&slice);
    n_frames_ = frames.empty() ? 0 : frames.begin()->second.size();
    for (const auto& [pid, list] : frames)
      for (std::size_t i = 0; i < list.size(); ++i)
        if (list.size() != n_frames_ || list[i]->name != frames.begin()->second[i]->name)
          complain("rank " + std::to_string(pid - 1) + " has other frames than rank 0");
    for (const TraceSlice& slice : slices_) {
      const auto around = [&slice](const TraceSlice* frame) {
        return frame->begin <= slice.begin && slice.end <= frame->end;
      };
      if (std::none_of(frames[slice.pid].begin(), frames[slice.pid].end(), around))
        complain("'" + slice.name + "' lies in no frame");
    }
  }

  // The slice of a thread that contains an end of a flow.
  const TraceSlice* around(const End& end) const {
    for (const TraceSlice& slice : slices_)
      if (slice.pid == end.pid && slice.tid == end.tid && slice.begin <= end.time &&
          (end.time < slice.end || slice.begin == slice.end))
        return &slice;
    return nullptr;
  }

  // Each message begins in the slice of a send and ends in that of a receive, and both say the same of it.
  void check_flows() {
    std::map<const TraceSlice*, std::size_t> flows;
    for (const auto& [id, start] : starts_) {
      const std::string name = "message " + std::to_string(id);
      const auto found = finishes_.find(id);
      if (found == finishes_.end()) {
        complain(name + " never ends");
        continue;
      }
      const End& finish = found->second;
      const TraceSlice* send = around(start);
      const TraceSlice* receive = around(finish);
      if (send == nullptr || send->category != "send" || receive == nullptr || receive->category != "receive") {
        complain(name + " does not go from a send to a receive");
        continue;
      }
      if (finish.time < start.time) complain(name + " ends before it begins");
      ++flows[send];
      ++flows[receive];
      check_pair(name, *send, *receive);
    }
    for (const auto& [id, finish] : finishes_)
      if (!starts_.contains(id)) complain("message " + std::to_string(id) + " never begins");
    for (const TraceSlice& slice : slices_)
      if ((slice.category == "send" || slice.category == "receive") &&
          flows[&slice] != slice.args.at("messages").size())
        complain("'" + slice.name + "' has not a flow for each of its messages");
  }

  void check_pair(const std::string& name, const TraceSlice& send, const TraceSlice& receive) {
    std::size_t pairs = 0;
    for (const nlohmann::json& out : send.args.at("messages"))
      for (const nlohmann::json& in : receive.args.at("messages")) {
        if (out.at("message") != in.at("message")) continue;
        if (out.at("to") == receive.pid - 1 && in.at("from") == send.pid - 1) ++pairs;
        if (out.at("bytes") != in.at("bytes") || out.at("box") != in.at("box"))
          complain(name + " is another one for its sender than for its receiver");
      }
    if (pairs == 0) complain(name + " goes between slices that tell of no common one");
  }

  std::map<int, std::string> names_;  // [pid]
  std::vector<TraceSlice> slices_;    // by thread and time, outer ones first
  std::map<std::int64_t, End> starts_;
  std::map<std::int64_t, End> finishes_;
  std::size_t n_frames_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace strake::test
