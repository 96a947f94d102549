// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/plan.hpp"

namespace strake {

namespace {

bool holds_all(const BoxList& have, const Box& box) {
  return std::any_of(have.begin(), have.end(), [&box](const Box& own) { return own.contains(box); });
}

// Disjoint boxes of all that is needed and not there. Needs may overlap each other.
BoxList missing_cells(const BoxList& have, const BoxList& need) {
  BoxList missing;
  BoxList known = have;
  for (const Box& box : need) {
    if (box.empty() || holds_all(known, box)) continue;
    for (Box& piece : subtract(box, known)) missing.push_back(std::move(piece));
    known.push_back(box);
  }
  return missing;
}

// Takes from `missing` what `offer` has, and writes it down.
void take(BoxList& missing, const BoxList& offer, int src, int dst, std::vector<Transfer>& list) {
  for (const Box& box : offer) {
    BoxList rest;
    for (const Box& piece : missing) {
      Box common = intersect(piece, box);
      if (common.empty()) {
        rest.push_back(piece);
        continue;
      }
      for (Box& left : subtract(piece, {&box, 1})) rest.push_back(std::move(left));
      list.push_back({.src = src, .dst = dst, .box = std::move(common)});
    }
    missing = std::move(rest);
  }
}

}  // namespace

std::vector<Transfer> transfers(const std::vector<BoxList>& have, const std::vector<BoxList>& need) {
  const int n_ranks = static_cast<int>(have.size());
  const auto offer = [&have](int rank) -> const BoxList& { return have[static_cast<std::size_t>(rank)]; };
  std::vector<Transfer> list;
  for (int dst = 0; dst < n_ranks; ++dst) {
    BoxList missing = missing_cells(offer(dst), need[static_cast<std::size_t>(dst)]);
    for (int distance = 1; distance < n_ranks && !missing.empty(); ++distance) {
      if (dst - distance >= 0) take(missing, offer(dst - distance), dst - distance, dst, list);
      if (dst + distance < n_ranks) take(missing, offer(dst + distance), dst + distance, dst, list);
    }
    ensure(missing.empty(), "some rank has every cell that another needs");
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Transfer& a, const Transfer& b) { return a.src != b.src ? a.src < b.src : a.dst < b.dst; });
  return list;
}

TransferType travels_as(const Op& op, TransferType wanted) {
  const bool is_sum = as<ReduceRows>(op) != nullptr || as<ReduceParts>(op) != nullptr || as<Reduce>(op) != nullptr;
  return op.type == ElementType::f32 && !is_sum ? wanted : TransferType::f32;
}

std::vector<Transfer> transfers(const Graph& graph, const Plan& plan, OpId id) {
  return transfers(plan.produces[static_cast<std::size_t>(id)], needs(graph, plan, id));
}

}  // namespace strake
