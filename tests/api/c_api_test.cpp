// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "onnx/zoo.hpp"
#include "strake/engine.hpp"
#include "strake/strake.h"

namespace {

namespace fs = std::filesystem;

using OptionsHandle = std::unique_ptr<strake_options, decltype(&strake_options_free)>;
using EngineHandle = std::unique_ptr<strake_engine, decltype(&strake_engine_free)>;
using ResultHandle = std::unique_ptr<strake_result, decltype(&strake_result_free)>;

class CApi : public testing::Test {
 protected:
  void SetUp() override {
    model_ = fs::path(testing::TempDir()) / ("strake_c_api_" + std::to_string(getpid()) + ".onnx");
    strake::zoo::write("edges", strake::zoo::ZooSize{16, 24}, 1, model_);
    ASSERT_EQ(strake_options_set(options_.get(), "model", model_.c_str()), STRAKE_OK);
    ASSERT_EQ(strake_options_set(options_.get(), "threads", "1"), STRAKE_OK);
  }
  void TearDown() override { fs::remove(model_); }

  [[nodiscard]] EngineHandle open() const {
    strake_engine* engine = nullptr;
    EXPECT_EQ(strake_engine_open(options_.get(), &engine), STRAKE_OK) << strake_last_error();
    return {engine, strake_engine_free};
  }

  static bool error_has(const std::string& text) {
    return std::string(strake_last_error()).find(text) != std::string::npos;
  }

  fs::path model_;
  OptionsHandle options_{strake_options_new(), strake_options_free};
};

TEST(CClient, SaysWhatIsWrong) {
  const auto error_has = [](const char* text) {
    return std::string(strake_last_error()).find(text) != std::string::npos;
  };
  strake_client* client = nullptr;
  EXPECT_EQ(strake_client_open(nullptr, nullptr, &client), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_client_open("192.0.2.1", nullptr, &client), STRAKE_INVALID_INPUT);
  EXPECT_TRUE(error_has("key")) << strake_last_error();
  EXPECT_EQ(client, nullptr);
  EXPECT_EQ(strake_client_run(nullptr, nullptr, 0, nullptr), STRAKE_INVALID_INPUT);
  // Nobody listens at the port of discard.
  ASSERT_EQ(strake_client_open("127.0.0.1:9", "", &client), STRAKE_OK) << strake_last_error();
  strake_tensor info{};
  EXPECT_EQ(strake_client_input(client, 0, 50, &info), STRAKE_FAILED);
  EXPECT_EQ(strake_client_input(client, 0, -1, &info), STRAKE_INVALID_INPUT);
  strake_result* result = nullptr;
  EXPECT_EQ(strake_client_run_until(client, nullptr, 0, 50, &result), STRAKE_DEADLINE_MISSED) << strake_last_error();
  EXPECT_EQ(result, nullptr);
  // The frame before has left its place.
  EXPECT_EQ(strake_client_run_until(client, nullptr, 0, 50, &result), STRAKE_DEADLINE_MISSED) << strake_last_error();
  strake_client_free(client);
  strake_client_free(nullptr);
}

TEST_F(CApi, GivesTheBitsOfTheEngine) {
  const EngineHandle engine = open();
  EXPECT_EQ(strake_engine_is_root(engine.get()), 1);
  EXPECT_EQ(strake_engine_work(engine.get()), 0);
  strake_tensor input{};
  ASSERT_EQ(strake_engine_input(engine.get(), 0, &input), STRAKE_OK);
  EXPECT_EQ(input.type, STRAKE_FLOAT32);
  ASSERT_EQ(input.rank, 4U);
  std::size_t size = 1;
  for (std::size_t i = 0; i < input.rank; ++i) size *= static_cast<std::size_t>(input.shape[i]);
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i % 100) / 100;
  input.data = values.data();
  input.n_bytes = size * sizeof(float);
  strake_result* got = nullptr;
  ASSERT_EQ(strake_engine_run(engine.get(), &input, 1, &got), STRAKE_OK) << strake_last_error();
  const ResultHandle result(got, strake_result_free);
  EXPECT_GT(strake_result_latency_ms(result.get()), 0);

  strake::EngineOptions same;
  same.model = model_;
  same.threads = 1;
  strake::Engine other(same);
  const strake::Result expected = other.run({{input.name, {values, {input.shape, input.shape + input.rank}}}});
  ASSERT_EQ(strake_result_size(result.get()), expected.outputs.size());
  for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
    strake_tensor output{};
    ASSERT_EQ(strake_result_output(result.get(), i, &output), STRAKE_OK);
    const strake::Tensor& tensor = expected[output.name];
    EXPECT_EQ(std::vector<std::int64_t>(output.shape, output.shape + output.rank), tensor.shape());
    ASSERT_EQ(output.n_bytes, tensor.bytes().size());
    EXPECT_EQ(std::memcmp(output.data, tensor.bytes().data(), output.n_bytes), 0);
  }
  strake_tensor none{};
  EXPECT_EQ(strake_result_output(result.get(), 99, &none), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_input(engine.get(), 1, &none), STRAKE_INVALID_INPUT);
}

TEST_F(CApi, OptionsAreChecked) {
  strake_options* options = options_.get();
  EXPECT_EQ(strake_options_set(options, "colour", "red"), STRAKE_INVALID_INPUT);
  EXPECT_TRUE(error_has("no option 'colour'; there are axis, exact"));
  for (const char* wrong : {"", "1.5", "x", "-1", "1025", "nan", "3 "}) {
    EXPECT_EQ(strake_options_set(options, "threads", wrong), STRAKE_INVALID_INPUT) << wrong;
    EXPECT_TRUE(error_has("threads expects a whole number from 0 to 1024"));
  }
  EXPECT_EQ(strake_options_set(options, "late", "never"), STRAKE_INVALID_INPUT);
  EXPECT_TRUE(error_has("late expects drop or finish, got 'never'"));
  for (const auto& [name, value] : std::vector<std::pair<const char*, const char*>>{{"exact", "1"},
                                                                                    {"queue", "3"},
                                                                                    {"timeout_ms", "2000"},
                                                                                    {"objective", "throughput"},
                                                                                    {"rate", "12.5"},
                                                                                    {"inflight", "2"},
                                                                                    {"when_full", "refuse"}})
    EXPECT_EQ(strake_options_set(options, name, value), STRAKE_OK) << name;
  EXPECT_NE(open(), nullptr);
}

TEST_F(CApi, NullAndNonsenseAreRefused) {
  strake_engine* none = nullptr;
  strake_result* result = nullptr;
  EXPECT_EQ(strake_options_set(nullptr, "model", "x"), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_options_set(options_.get(), nullptr, "x"), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_options_set(options_.get(), "model", nullptr), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_open(nullptr, &none), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_open(options_.get(), nullptr), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_run(nullptr, nullptr, 0, &result), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_work(nullptr), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_result_size(nullptr), 0U);
  strake_engine_free(nullptr);
  strake_result_free(nullptr);
  strake_options_free(nullptr);

  const EngineHandle engine = open();
  EXPECT_EQ(strake_engine_run(engine.get(), nullptr, 1, &result), STRAKE_INVALID_INPUT);
  strake_tensor input{};
  EXPECT_EQ(strake_engine_run(engine.get(), &input, 1, &result), STRAKE_INVALID_INPUT);
  ASSERT_EQ(strake_engine_input(engine.get(), 0, &input), STRAKE_OK);
  input.n_bytes = 16;
  EXPECT_EQ(strake_engine_run(engine.get(), &input, 1, &result), STRAKE_INVALID_INPUT);
  const strake_tensor twice[] = {input, input};
  EXPECT_EQ(strake_engine_run(engine.get(), twice, 2, &result), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_run_until(engine.get(), &input, 1, -1, &result), STRAKE_INVALID_INPUT);
  EXPECT_EQ(strake_engine_run_until(engine.get(), &input, 1, std::numeric_limits<double>::quiet_NaN(), &result),
            STRAKE_INVALID_INPUT);
  EXPECT_EQ(result, nullptr);
}

}  // namespace
