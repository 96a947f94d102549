// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One property case, on any transport: N ranks give the bits that one rank gives, and those are the reference's.

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "comm/thread_communicator.hpp"
#include "engine/executor.hpp"
#include "engine/frame.hpp"
#include "engine/machine.hpp"
#include "kernels/isa.hpp"
#include "kernels/reference.hpp"
#include "random_model.hpp"

namespace strake::test {

struct Case {
  Graph graph;
  Plan plan;
  engine::TensorMap inputs;
};

inline Case make_case(unsigned seed, int n_ranks) {
  Random random(seed);
  Case one{.graph = RandomGraph(random).make(), .plan = {}, .inputs = {}};
  one.plan = random_plan(random, one.graph, n_ranks);
  const Shape& shape = one.graph.shape(one.graph.inputs.front().op);
  one.inputs["input"] = {ElementType::f32, shape, Blob::copy_of(random.values(volume(shape)))};
  return one;
}

/// Compiles and runs a plan on this rank; the outputs on rank 0.
inline engine::TensorMap run_rank(const Case& one, const Plan& plan, int rank, comm::Communicator* communicator,
                                  kernels::Exactness exactness) {
  engine::set_threads(1);
  kernels::flush_denormals();
  Graph graph = deep_copy(one.graph);
  kernels::WeightStore weights(graph);
  const engine::Program program(graph, plan, rank, communicator, weights, {exactness, Messages::sent});
  engine::Executor executor(program, {});
  engine::TensorMap outputs;
  // Twice: a second frame must not depend on what the first left behind.
  for (int frame = 0; frame < 2; ++frame) {
    if (rank == 0) engine::write_inputs(graph.inputs, program, one.inputs);
    (void)executor.run();
  }
  if (rank == 0) outputs = engine::read_outputs(graph, graph.outputs, program);
  // Nobody's slabs go away while a neighbour still reads them.
  if (communicator != nullptr) communicator->barrier(std::chrono::seconds(60));
  return outputs;
}

inline engine::TensorMap run_single(const Case& one, kernels::Exactness exactness) {
  return run_rank(one, single_rank_plan(one.graph, 1, 0), 0, nullptr, exactness);
}

/// `run(rank, communicator)` on each of so many threads of this process; what it gave on rank 0.
/// @param hosts  by rank, as `make_thread_communicators` takes them
template <class Run>
auto on_threads(int n_ranks, const Run& run, const std::vector<int>& hosts = {}) {
  const auto communicators = comm::make_thread_communicators(n_ranks, hosts);
  decltype(run(0, communicators.front().get())) outputs;
  std::vector<std::exception_ptr> errors(communicators.size());
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < n_ranks; ++rank)
      threads.emplace_back([&, rank] {
        const auto place = static_cast<std::size_t>(rank);
        try {
          auto mine = run(rank, communicators[place].get());
          if (rank == 0) outputs = std::move(mine);
        } catch (...) {
          errors[place] = std::current_exception();
          communicators[place]->abort(1);
        }
      });
  }
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return outputs;
}

/// All ranks as threads of this process.
inline engine::TensorMap run_threads(const Case& one, kernels::Exactness exactness,
                                     const std::vector<int>& hosts = {}) {
  return on_threads(
      one.plan.n_ranks,
      [&](int rank, comm::Communicator* communicator) {
        return run_rank(one, one.plan, rank, communicator, exactness);
      },
      hosts);
}

inline void expect_equal_bits(const engine::TensorMap& a, const engine::TensorMap& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    const HostTensor& other = b.at(name);
    ASSERT_EQ(tensor.shape, other.shape);
    ASSERT_EQ(tensor.data.size_bytes(), other.data.size_bytes());
    std::size_t differing = 0;
    for (std::size_t i = 0; i < tensor.data.floats().size(); ++i)
      if (std::memcmp(&tensor.data.floats()[i], &other.data.floats()[i], sizeof(float)) != 0) ++differing;
    EXPECT_EQ(differing, 0U) << "of " << tensor.data.floats().size() << " elements of " << name;
  }
}

/// Sums of up to some 7 * 7 * 20 products of numbers below 1 in another order and with fused multiply-adds, through up
/// to ten layers: 1e-4 of the largest magnitude leaves a factor of ten above what was ever seen.
inline constexpr float tolerance_of_sums = 1e-4F;

/// @param tolerance  of the largest magnitude
inline void expect_near(const Graph& graph, const engine::TensorMap& outputs,
                        const std::vector<std::vector<float>>& reference, float tolerance = tolerance_of_sums) {
  for (const Port& port : graph.outputs) {
    const std::vector<float>& expected = reference[static_cast<std::size_t>(port.op)];
    const auto values = outputs.at(port.name).data.floats();
    ASSERT_EQ(values.size(), expected.size());
    float largest = 1;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(values[i], expected[i], tolerance * largest) << port.name << " element " << i;
  }
}

inline std::vector<std::vector<float>> reference_of(const Case& one) {
  const auto values = one.inputs.at("input").data.floats();
  return kernels::evaluate_reference(one.graph, {std::vector<float>(values.begin(), values.end())});
}

}  // namespace strake::test
