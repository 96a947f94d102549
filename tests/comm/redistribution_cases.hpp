// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Checks of a communicator that hold for every transport; each rank of a job calls them with its own end.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "comm/communicator.hpp"
#include "core/blob.hpp"
#include "core/errors.hpp"
#include "rounded_cells.hpp"

namespace strake::test {

using namespace std::chrono_literals;

inline constexpr auto patience = 20s;

/// Floats of a whole tensor in which every cell knows where it is.
inline Blob numbered(const Box& box) {
  Blob blob = Blob::allocate(dense_bytes(box, ElementType::f32));
  float next = 1;
  for (float& value : blob.floats()) value = next++;
  return blob;
}

/// A view of `box` in NHWC, in row-major order, or blocked by 8 channels.
inline View view_in(int layout, const Box& box, Blob& memory) {
  if (layout == 0) return dense_view(box, ElementType::f32, memory.data());
  if (layout == 1) return row_major_view(box, ElementType::f32, memory.data());
  const Index w = box[3].size();
  const Index h = box[2].size();
  const Index blocks = (box[1].size() + 7) / 8;
  return {.box = box,
          .strides = {blocks * h * w * 8, h * w * 8, w * 8, 8},
          .channel_block = 8,
          .type = ElementType::f32,
          .data = memory.data()};
}

/// Rank 0 sends random windows of a tensor to every other rank, each end in a layout of its own; the cells arrive where
/// they belong, twice in a row.
inline void check_windows(comm::Communicator& communicator, unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](Index n) { return static_cast<Index>(random() % static_cast<unsigned>(n)); };
  const Box all = whole({1 + below(2), 16, 3 + below(9), 3 + below(9)});
  const int src_layout = static_cast<int>(below(3));
  const int dst_layout = static_cast<int>(below(3));
  std::vector<comm::Message> sends;
  std::vector<comm::Message> receives;
  Blob source = numbered(all);
  Blob target = Blob::allocate(dense_bytes(all, ElementType::f32));
  std::fill(target.floats().begin(), target.floats().end(), 0.0F);
  std::vector<Box> mine;
  for (int dst = 1; dst < communicator.size(); ++dst)
    for (int piece = 0; piece < 2; ++piece) {
      Box box = all;
      for (const std::size_t axis : {std::size_t{2}, std::size_t{3}}) {
        const Index begin = below(all[axis].end);
        box[axis] = {begin, begin + 1 + below(all[axis].end - begin)};
      }
      if (below(2) == 0) box[1] = {8, 16};  // a channel shard that begins at a block
      if (below(6) == 0) box[2] = {};       // nothing at all
      if (communicator.rank() == 0) sends.push_back({dst, view_in(src_layout, all, source).window(box)});
      if (communicator.rank() == dst) {
        receives.push_back({0, view_in(dst_layout, all, target).window(box)});
        mine.push_back(box);
      }
    }
  const auto messages = communicator.redistribution(7, sends, receives);
  for (int round = 0; round < 2; ++round) {
    messages->start();
    messages->finish_receives(patience);
    messages->finish_sends(patience);
  }
  Blob expected = Blob::allocate(dense_bytes(all, ElementType::f32));
  std::fill(expected.floats().begin(), expected.floats().end(), 0.0F);
  std::size_t n_bytes = 0;
  for (const Box& box : mine) {
    copy_box(view_in(src_layout, all, source), view_in(dst_layout, all, expected), box);
    n_bytes += dense_bytes(box, ElementType::f32);
  }
  EXPECT_EQ(messages->received_bytes(), n_bytes);
  for (std::size_t i = 0; i < expected.floats().size(); ++i)
    ASSERT_EQ(target.floats()[i], expected.floats()[i]) << "seed " << seed << ", element " << i;
  communicator.barrier(patience);
}

inline comm::Bytes bytes_of(std::size_t n, int value) { return comm::Bytes(n, static_cast<std::byte>(value)); }

/// Broadcasts from every root, gathers to every root, a barrier.
inline void check_control(comm::Communicator& communicator) {
  for (int root = 0; root < communicator.size(); ++root) {
    const bool is_root = communicator.rank() == root;
    EXPECT_EQ(communicator.broadcast(is_root ? bytes_of(1000, root) : comm::Bytes{}, root, patience),
              bytes_of(1000, root));
    const auto all = communicator.gather(bytes_of(static_cast<std::size_t>(communicator.rank()), 9), root, patience);
    if (!is_root) {
      EXPECT_TRUE(all.empty());
      continue;
    }
    ASSERT_EQ(all.size(), static_cast<std::size_t>(communicator.size()));
    for (std::size_t rank = 0; rank < all.size(); ++rank) EXPECT_EQ(all[rank], bytes_of(rank, 9));
  }
  const auto rank = static_cast<std::size_t>(communicator.rank());
  const auto all = communicator.gather_for_all(bytes_of(rank, 7), patience);  // rank 0 gives none
  ASSERT_EQ(all.size(), static_cast<std::size_t>(communicator.size()));
  for (std::size_t other = 0; other < all.size(); ++other) EXPECT_EQ(all[other], bytes_of(other, 7));
  communicator.barrier(patience);
}

/// What a wait that nobody answers throws.
template <class Wait>
std::string loss(Wait wait) {
  try {
    wait();
  } catch (const PeerLost& error) {
    return error.what();
  }
  return "nobody was missed";
}

/// Rank 1 does not send what rank 0 waits for, everybody else does: only rank 1 is named, and nothing is written into
/// the memory of the wait that was given up when a later message comes.
inline void check_silent_sender(comm::Communicator& communicator) {
  if (communicator.size() < 2) GTEST_SKIP() << "needs another rank";
  const int rank = communicator.rank();
  const auto n = static_cast<std::size_t>(communicator.size());
  const Box box = whole({1000});
  std::vector<Blob> memory(n, Blob());
  for (Blob& blob : memory) blob = numbered(box);
  std::vector<comm::Message> sends;
  std::vector<comm::Message> receives;
  for (int src = 1; src < communicator.size(); ++src) {
    const View view = dense_view(box, ElementType::f32, memory[static_cast<std::size_t>(src)].data());
    if (rank == 0) receives.push_back({src, view});
    if (rank == src) sends.push_back({0, view});
  }
  if (rank == 0)
    for (float& value : memory[1].floats()) value = -1;
  auto given_up = communicator.redistribution(5, sends, receives);
  if (rank != 1) given_up->start();
  if (rank == 0) {
    const std::string told = loss([&] { given_up->finish_receives(1s); });
    EXPECT_EQ(told, "receiving took longer than 1000 ms: silent rank 1");
  } else if (rank != 1) {
    given_up->finish_sends(patience);
  }
  given_up.reset();
  communicator.barrier(patience);

  Blob fresh = Blob::allocate(dense_bytes(box, ElementType::f32));
  const View view = dense_view(box, ElementType::f32, fresh.data());
  using List = std::vector<comm::Message>;
  const auto late = communicator.redistribution(5, rank == 1 ? sends : List{}, rank == 0 ? List{{1, view}} : List{});
  late->start();
  late->finish_receives(patience);
  late->finish_sends(patience);
  if (rank == 0) {
    EXPECT_EQ(fresh.floats()[999], 1000.0F);
    EXPECT_EQ(memory[1].floats()[999], -1.0F);
  }
  communicator.barrier(patience);
}

/// A wait of the control plane ends in time, and the message that comes later is the next one received.
inline void check_silent_control(comm::Communicator& communicator) {
  if (communicator.size() < 2) GTEST_SKIP() << "needs another rank";
  if (communicator.rank() == 0) {
    EXPECT_EQ(loss([&] { (void)communicator.receive(1, 20ms); }), "receiving took longer than 20 ms: silent rank 1");
    communicator.send(bytes_of(1, 1), 1, patience);
    EXPECT_EQ(communicator.receive(1, patience), bytes_of(5, 7));
  } else if (communicator.rank() == 1) {
    EXPECT_EQ(communicator.receive(0, patience), bytes_of(1, 1));
    communicator.send(bytes_of(5, 7), 0, patience);
  }
  communicator.barrier(patience);
}

/// Everybody tells everybody a scalar and an empty box.
inline void check_scalars(comm::Communicator& communicator) {
  const auto n = static_cast<std::size_t>(communicator.size());
  std::vector<float> values(n, -1.0F);
  values[static_cast<std::size_t>(communicator.rank())] = static_cast<float>(communicator.rank());
  const auto scalar = [&](int rank) {
    auto* data = reinterpret_cast<std::byte*>(&values[static_cast<std::size_t>(rank)]);
    return dense_view(Box{}, ElementType::f32, data);
  };
  std::vector<comm::Message> sends;
  std::vector<comm::Message> receives;
  for (int peer = 0; peer < communicator.size(); ++peer) {
    if (peer == communicator.rank()) continue;
    sends.push_back({peer, dense_view(nothing(3), ElementType::f32, nullptr)});
    sends.push_back({peer, scalar(communicator.rank())});
    receives.push_back({peer, dense_view(nothing(3), ElementType::f32, nullptr)});
    receives.push_back({peer, scalar(peer)});
  }
  const auto messages = communicator.redistribution(6, sends, receives);
  EXPECT_EQ(messages->sent_bytes(), (n - 1) * sizeof(float));
  messages->start();
  messages->finish_receives(patience);
  messages->finish_sends(patience);
  for (std::size_t rank = 0; rank < n; ++rank) EXPECT_EQ(values[rank], static_cast<float>(rank));
  communicator.barrier(patience);
}

}  // namespace strake::test
