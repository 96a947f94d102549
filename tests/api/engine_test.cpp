// SPDX-License-Identifier: Apache-2.0
#include "strake/engine.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "kernels/reference.hpp"
#include "onnx/import.hpp"
#include "onnx/zoo.hpp"

namespace strake {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t height = 32;
constexpr std::int64_t width = 40;

// A small network of the zoo on disk, and what plain loops make of its frames.
class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / ("strake_engine_" + std::string(test->name()));
    fs::create_directories(folder_);
    model_ = (folder_ / "net.onnx").string();
    zoo::write("edges", zoo::ZooSize{height, width}, 1, model_);
    graph_ = onnx_import::import_model(model_, {}).graph;
    const Port& port = graph_.inputs.front();
    name_ = port.name;
    shape_ = graph_.shape(port.op);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::vector<float> frame(int seed) const {
    std::vector<float> values(static_cast<std::size_t>(volume(shape_)));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(seed) * 131) % 255) / 255.0F;
    return values;
  }

  void expect_right(const Result& result, const std::vector<float>& values) const {
    const auto reference = kernels::evaluate_reference(graph_, {values});
    ASSERT_EQ(result.outputs.size(), graph_.outputs.size());
    for (const Port& port : graph_.outputs) {
      const Tensor& output = result[port.name];
      EXPECT_EQ(output.shape(), graph_.shape(port.op));
      const std::vector<float>& expected = reference[static_cast<std::size_t>(port.op)];
      const auto got = output.values<float>();
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4) << "element " << i;
    }
  }

  // The message of what `call` throws.
  template <class Call>
  static std::string refusal(const Call& call) {
    try {
      call();
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "nothing was refused";
  }

  [[nodiscard]] EngineOptions options() const {
    EngineOptions given;
    given.model = model_;
    given.threads = 1;
    return given;
  }

  fs::path folder_;
  std::string model_;
  Graph graph_;
  std::string name_;
  Shape shape_;
};

TEST_F(EngineTest, RunsFramesOfBorrowedMemory) {
  Engine engine(options());
  EXPECT_TRUE(engine.is_root());
  EXPECT_EQ(engine.ranks(), 1);
  EXPECT_EQ(engine.work(), 0);
  ASSERT_EQ(engine.inputs().size(), 1U);
  EXPECT_EQ(engine.inputs().front().name, name_);
  EXPECT_EQ(engine.inputs().front().shape, shape_);
  ASSERT_EQ(engine.outputs().size(), graph_.outputs.size());
  EXPECT_EQ(engine.outputs().front().shape, graph_.shape(graph_.outputs.front().op));
  for (int i = 0; i < 3; ++i) {
    const std::vector<float> values = frame(i);
    const Result result = engine.run({{name_, {values, shape_}}});
    EXPECT_GT(result.latency_ms, 0);
    expect_right(result, values);
  }
}

TEST_F(EngineTest, ResultsOutliveTheEngine) {
  const std::vector<float> values = frame(5);
  Result result;
  {
    Engine engine(options());
    result = engine.run({{name_, {values, shape_}}});
  }
  expect_right(result, values);
}

TEST_F(EngineTest, TakesWhatOneEngineGivesToAnother) {
  Engine first(options());
  const std::vector<float> values = frame(1);
  const Result once = first.run({{name_, {values, shape_}}});
  const Tensor copy(DataType::float32, shape_,
                    std::shared_ptr<const std::byte>(reinterpret_cast<const std::byte*>(values.data()), [](auto*) {}));
  Engine second(options());
  const Result again = second.run({{name_, copy}});
  for (const auto& [name, tensor] : once.outputs)
    EXPECT_TRUE(std::ranges::equal(tensor.bytes(), again[name].bytes())) << name;
}

TEST_F(EngineTest, WrongInputsDisturbNobody) {
  Engine engine(options());
  const std::vector<float> values = frame(2);
  const auto run = [&](const Inputs& inputs) { return refusal([&] { (void)engine.run(inputs); }); };
  EXPECT_NE(run({}).find("'" + name_ + "' was not given"), std::string::npos);
  EXPECT_NE(run({{"nobody", {values, shape_}}}).find("no input 'nobody'"), std::string::npos);
  Shape narrow = shape_;
  narrow.back() -= 1;
  EXPECT_NE(run({{name_, {values, narrow}}}).find("another number of elements"), std::string::npos);
  const std::vector<float> few(static_cast<std::size_t>(volume(narrow)));
  EXPECT_NE(run({{name_, {few, narrow}}}).find("the model expects"), std::string::npos);
  const std::vector<std::int32_t> integers(values.size());
  EXPECT_NE(run({{name_, {integers, shape_}}}).find("type int32"), std::string::npos);
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_NE(run({{name_, {values, {huge, huge, huge}}}}).find("another number of elements"), std::string::npos);
  EXPECT_NE(run({{name_, {values, {-1, 3}}}}).find("0 or more"), std::string::npos);
  TensorView odd(values, shape_);
  odd.type = static_cast<DataType>(99);
  EXPECT_NE(run({{name_, odd}}).find("no type of elements 99"), std::string::npos);
  expect_right(engine.run({{name_, {values, shape_}}}), values);
}

TEST_F(EngineTest, WrongOptionsAreNamed) {
  const auto open = [&](auto change) {
    EngineOptions given = options();
    change(given);
    return refusal([&] { Engine engine(given); });
  };
  EXPECT_NE(open([](EngineOptions& o) { o.model = ""; }).find("needs a model"), std::string::npos);
  EXPECT_NE(open([&](EngineOptions& o) { o.model = (folder_ / "none.onnx").string(); }).find("none.onnx"),
            std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.strategy = "best"; }).find("got 'best'"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.objective = "joy"; }).find("got 'joy'"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.kernels = "fast"; }).find("got 'fast'"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.queue = 0; }).find("queue"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.max_memory_mb = std::nan(""); }).find("max_memory_mb"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.shapes["nobody"] = {1}; }).find("no input 'nobody'"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.shapes["input"] = {1, 3, 0, 24}; }).find("size of 0"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.rate = 5; }).find("for objective throughput"), std::string::npos);
  EXPECT_NE(open([](EngineOptions& o) { o.inflight = 0; }).find("inflight"), std::string::npos);
  EXPECT_NE(open([&](EngineOptions& o) {
              o.plan = model_;
              o.strategy = "equal";
            }).find("made already"),
            std::string::npos);
  EXPECT_NE(open([&](EngineOptions& o) { o.plan = model_; }).find("net.onnx"), std::string::npos);
  std::ofstream(folder_ / "text.onnx") << "this is no model";
  EXPECT_NE(open([&](EngineOptions& o) { o.model = (folder_ / "text.onnx").string(); }).find("text.onnx"),
            std::string::npos);
}

TEST_F(EngineTest, MovedFromEnginesRefuse) {
  Engine engine(options());
  const Engine other(std::move(engine));
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested
  const std::string why = refusal([&] { (void)engine.inputs(); });
  EXPECT_NE(why.find("moved from"), std::string::npos);
  EXPECT_FALSE(other.inputs().empty());
}

TEST_F(EngineTest, AFrameThatMayTakeForEverIsNeverLate) {
  Engine engine(options());
  const std::vector<float> values = frame(1);
  expect_right(engine.submit({{name_, {values, shape_}}}, std::chrono::nanoseconds::max()).get(), values);
}

TEST_F(EngineTest, ThreadsGetTheirOwnResults) {
  Engine engine(options());
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 5; ++i) {
        const std::vector<float> values = frame(10 * thread + i);
        expect_right(engine.run({{name_, {values, shape_}}}), values);
      }
    });
}

TEST_F(EngineTest, SubmittedFramesAreAnsweredInOrder) {
  EngineOptions given = options();
  given.queue = 20;
  Engine engine(given);
  std::vector<std::vector<float>> frames;
  for (int i = 0; i < 10; ++i) frames.push_back(frame(i));
  std::vector<std::future<Result>> results;
  for (const std::vector<float>& values : frames) results.push_back(engine.submit({{name_, {values, shape_}}}));
  results.back().wait();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(results[i].wait_for(std::chrono::seconds(0)), std::future_status::ready) << "frame " << i;
    expect_right(results[i].get(), frames[i]);
  }
}

TEST_F(EngineTest, DeadlinesDropOrMark) {
  const std::vector<float> values = frame(0);
  const Inputs inputs{{name_, {values, shape_}}};
  for (const Late late : {Late::drop, Late::finish}) {
    EngineOptions given = options();
    given.late = late;
    Engine engine(given);
    std::future<Result> too_late = engine.submit(inputs, std::chrono::nanoseconds(-1));
    std::future<Result> in_time = engine.submit(inputs, std::chrono::hours(1));
    if (late == Late::drop) {
      EXPECT_THROW((void)too_late.get(), DeadlineMissed);
    } else {
      const Result result = too_late.get();
      EXPECT_TRUE(result.late);
      expect_right(result, values);
    }
    EXPECT_FALSE(in_time.get().late);
  }
}

TEST_F(EngineTest, AFullQueueRefuses) {
  EngineOptions given = options();
  given.queue = 1;
  given.when_full = WhenFull::refuse;
  Engine engine(given);
  const std::vector<float> values = frame(0);
  std::vector<std::future<Result>> taken;
  int refused = 0;
  // Frames take longer than to ask for one: sooner or later two wait at once.
  for (int i = 0; i < 100000 && refused == 0; ++i) {
    try {
      taken.push_back(engine.submit({{name_, {values, shape_}}}));
    } catch (const QueueFull&) {
      ++refused;
    }
  }
  EXPECT_EQ(refused, 1);
  for (std::future<Result>& result : taken) expect_right(result.get(), values);
}

TEST_F(EngineTest, ClosingAnswersWhatWaits) {
  Engine engine(options());
  const std::vector<float> values = frame(3);
  std::vector<std::future<Result>> results;
  for (int i = 0; i < 4; ++i) results.push_back(engine.submit({{name_, {values, shape_}}}));
  engine.close();
  engine.close();
  for (std::future<Result>& result : results) expect_right(result.get(), values);
  EXPECT_NE(refusal([&] { (void)engine.run({{name_, {values, shape_}}}); }).find("closed"), std::string::npos);
}

TEST_F(EngineTest, CanBeMoved) {
  Engine first(options());
  Engine second(std::move(first));
  Engine third(options());
  third = std::move(second);
  const std::vector<float> values = frame(4);
  expect_right(third.run({{name_, {values, shape_}}}), values);
}

TEST_F(EngineTest, SavesThePlanAndTakesIt) {
  const std::string plan = (folder_ / "plan.json").string();
  Engine(options()).save_plan(plan);
  EngineOptions given = options();
  given.plan = plan;
  Engine engine(given);
  const std::vector<float> values = frame(6);
  expect_right(engine.run({{name_, {values, shape_}}}), values);
  EXPECT_NE(refusal([&] { engine.save_plan((folder_ / "no/such/plan.json").string()); }).find("no/such"),
            std::string::npos);
}

TEST_F(EngineTest, ResultsNameTheirOutputs) {
  Engine engine(options());
  const std::vector<float> values = frame(7);
  const Result result = engine.run({{name_, {values, shape_}}});
  EXPECT_NE(refusal([&] { (void)result["nobody"]; }).find(graph_.outputs.front().name), std::string::npos);
  EXPECT_NE(refusal([&] { (void)result[graph_.outputs.front().name].values<std::int64_t>(); }).find("float32"),
            std::string::npos);
}

}  // namespace
}  // namespace strake
