// SPDX-License-Identifier: Apache-2.0
// Models that others made answer what another engine answers, however many ranks share the work.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "conformance/in_process.hpp"
#include "core/half.hpp"
#include "core/rewrite/rewrite.hpp"
#include "io/npy.hpp"
#include "onnx/import.hpp"
#include "partition/planner.hpp"

namespace strake::conformance {
namespace {

namespace fs = std::filesystem;

enum class RelativeTo : unsigned char { element, largest };

struct RealModel {
  const char* name;
  // What sums in another order may differ by.
  double relative = 1e-3;
  double absolute = 1e-4;
  RelativeTo relative_to = RelativeTo::element;
};

// Winograd's transforms cancel: values near zero are off by some units in the last place of the largest ones.
constexpr double absolute_factor_of_fastest = 3;

// gtest prints this behind the number of a test.
void PrintTo(const RealModel& model, std::ostream* stream) { *stream << model.name; }

fs::path data_folder() {
  const char* given = std::getenv("STRAKE_TEST_DATA");
  return given != nullptr && *given != '\0' ? given : STRAKE_SHARED_DATA;
}

// Files carry the names of tensors, in which every unusual character became an underscore.
std::string file_name(std::string name) {
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && std::strchr(".-_", c) == nullptr) c = '_';
  return name + ".npy";
}

class RealModels : public testing::TestWithParam<RealModel> {
 protected:
  void SetUp() override {
    if (!fs::is_directory(data_folder() / "references")) GTEST_SKIP() << "no real models (STRAKE_TEST_DATA)";
    setenv("XDG_CACHE_HOME", testing::TempDir().c_str(), 1);
    for (const onnx_import::DeclaredInput& input : onnx_import::declared_inputs(model_file()))
      inputs_[input.name] = io::read_npy(references() / ("input." + file_name(input.name)));
  }

  static fs::path model_file() { return data_folder() / "models" / (std::string(GetParam().name) + ".onnx"); }
  static fs::path references() { return data_folder() / "references" / GetParam().name; }

  [[nodiscard]] Job job(kernels::Exactness exactness, std::optional<SplitAxis> axis,
                        std::function<Plan(engine::Session&)> plan) const {
    return {
        .load = [this] { return load(); },
        .inputs = inputs_,
        .settings =
            {.exactness = exactness, .axis = axis, .threads = 1, .slowdowns = {}, .slowdown_changes = {}, .build = {}},
        .plan = std::move(plan)};
  }

  [[nodiscard]] Model load() const {
    onnx_import::ImportOptions options;
    for (const auto& [name, tensor] : inputs_) options.shapes[name] = tensor.shape;
    Model model = onnx_import::import_model(model_file(), options);
    rewrite::optimise(model.graph);
    return model;
  }

  static void expect_reference(const engine::TensorMap& outputs, double absolute_factor = 1) {
    for (const auto& [name, tensor] : outputs) {
      HostTensor expected = io::read_npy(references() / ("output." + file_name(name)));
      ASSERT_EQ(tensor.shape, expected.shape) << name;
      const std::vector<float> ours = floats(tensor);
      const std::vector<float> theirs = floats(expected);
      double largest = 0;
      for (const float value : theirs) largest = std::max(largest, std::abs(static_cast<double>(value)));
      std::size_t n_differing = 0;
      double worst = 0;
      for (std::size_t i = 0; i < ours.size(); ++i) {
        const double scale = GetParam().relative_to == RelativeTo::largest ? largest : std::abs(theirs[i]);
        const double off = std::abs(static_cast<double>(ours[i]) - theirs[i]);
        if (off <= absolute_factor * GetParam().absolute + GetParam().relative * scale) continue;
        ++n_differing;
        worst = std::isnan(off) ? off : std::max(worst, off);
      }
      EXPECT_EQ(n_differing, 0U) << "of " << ours.size() << " elements of " << name << ", by up to " << worst;
    }
  }

  static std::vector<float> floats(const HostTensor& tensor) {
    if (tensor.type == ElementType::f32) return {tensor.data.floats().begin(), tensor.data.floats().end()};
    EXPECT_EQ(tensor.type, ElementType::f16);
    const auto* halves = reinterpret_cast<const std::uint16_t*>(tensor.data.data());
    std::vector<float> values(static_cast<std::size_t>(volume(tensor.shape)));
    std::transform(halves, halves + values.size(), values.begin(), half_to_float);
    return values;
  }

 private:
  engine::TensorMap inputs_;
};

Plan equal(engine::Session& session) {
  return session.is_root() ? partition::equal_plan(session.graph(), session.size(), session.axis()) : Plan{};
}

TEST_P(RealModels, GiveTheBitsOfOneRankOnAnyNumberOfThem) {
  const Answer single = run_in_process(job(kernels::Exactness::exact, SplitAxis::rows, equal), 1);
  expect_reference(single.outputs);
  for (const SplitAxis axis : {SplitAxis::rows, SplitAxis::columns})
    for (const int n_ranks : {2, 3, 5}) {
      SCOPED_TRACE(std::to_string(n_ranks) + (axis == SplitAxis::rows ? " ranks, rows" : " ranks, columns"));
      const Answer answer = run_in_process(job(kernels::Exactness::exact, axis, equal), n_ranks);
      EXPECT_EQ(answer.ranks_with_work, n_ranks);
      for (const auto& [name, tensor] : answer.outputs)
        EXPECT_EQ(std::memcmp(tensor.data.data(), single.outputs.at(name).data.data(), tensor.data.size_bytes()), 0)
            << name;
    }
}

// Costs as one rank of this machine measured them, each further rank slower by a third of that; links of 1 GB/s.
Profile unlike_ranks(const Profile& measured, int n_ranks) {
  Profile profile = measured;
  for (int rank = 1; rank < n_ranks; ++rank) {
    profile.ranks.push_back(measured.ranks.front());
    scale_times(profile.ranks.back(), 1 + rank / 3.0);
  }
  const Link link{.latency_us = 10, .us_per_byte = 1e-3};
  profile.links.assign(profile.ranks.size(), std::vector<Link>(profile.ranks.size(), link));
  for (std::size_t rank = 0; rank < profile.links.size(); ++rank) profile.links[rank][rank] = {};
  return profile;
}

class PlannedModels : public RealModels {};

TEST_P(PlannedModels, GiveTheReferencesUnderTheDefaultPlan) {
  Profile measured;
  const auto measure = [&](engine::Session& session) {
    measured = session.profile();
    return partition::make_plan(partition::CostModel(session.graph(), measured), "auto");
  };
  expect_reference(run_in_process(job(kernels::Exactness::fastest, {}, measure), 1).outputs,
                   absolute_factor_of_fastest);
  for (const int n_ranks : {2, 3, 5}) {
    SCOPED_TRACE(std::to_string(n_ranks) + " ranks");
    const auto plan = [&](engine::Session& session) {
      if (!session.is_root()) return Plan{};
      const Profile profile = unlike_ranks(measured, n_ranks);
      return partition::make_plan(partition::CostModel(session.graph(), profile), "auto");
    };
    expect_reference(run_in_process(job(kernels::Exactness::fastest, {}, plan), n_ranks).outputs,
                     absolute_factor_of_fastest);
  }
}

const auto name_of = [](const testing::TestParamInfo<RealModel>& test) { return test.param.name; };

const std::vector<RealModel> models{
    {.name = "mnist_cnn", .relative = 1e-4, .absolute = 0, .relative_to = RelativeTo::largest},
    {.name = "cifar10_cnn"},
    {.name = "squeezenet1_0_fp32"},
    // computed in f32 here; the other engine rounded in between
    {.name = "squeezenet1_0_fp16", .relative = 2e-2, .absolute = 2e-3},
    {.name = "ppocr_cls"},
    {.name = "ultraface_rfb_320"},
    {.name = "ultraface_rfb_640"},
    {.name = "super_resolution_x3"},
    {.name = "bodypix_mnv1_050_s16"},
    {.name = "fastestdet_352"},
    {.name = "fsanet_1x1_64"},
    // With AVX2's order of sums 4 of 301,665 values, the largest of which are 3.7, are off by up to 2.4e-4.
    {.name = "yolox_nano_416", .absolute = 3e-4},
    {.name = "road_seg_adas_0001"},
    {.name = "tbefn_lowlight_240x320"},
    {.name = "selfie_seg_144x256"},
    {.name = "xfeat_256"}};

INSTANTIATE_TEST_SUITE_P(Of, RealModels, testing::ValuesIn(models), name_of);
INSTANTIATE_TEST_SUITE_P(Of, PlannedModels, testing::ValuesIn(models), name_of);

}  // namespace
}  // namespace strake::conformance
