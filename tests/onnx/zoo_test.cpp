// SPDX-License-Identifier: Apache-2.0
#include "onnx/zoo.hpp"

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "core/errors.hpp"
#include "kernels/reference.hpp"
#include "onnx/import.hpp"
#include "onnx/zoo_networks.hpp"

namespace strake::zoo {
namespace {

namespace fs = std::filesystem;

onnx::ModelProto counted(const std::string& name, std::optional<ZooSize> size = std::nullopt) {
  return model(name, size, 1, Fill::shapes_only);
}

Index volume_of(const onnx::TensorProto& tensor) {
  Index cells = 1;
  for (const Index size : tensor.dims()) cells *= size;
  return cells;
}

Shape shape_of(const onnx::ValueInfoProto& info) {
  Shape shape;
  for (const auto& dim : info.type().tensor_type().shape().dim()) shape.push_back(dim.dim_value());
  return shape;
}

// As PyTorch counts: neither running statistics nor what is no weight (limits of Clip, scales of Resize).
Index learned_parameters(const onnx::ModelProto& model) {
  Index n = 0;
  for (const auto& tensor : model.graph().initializer())
    if (tensor.name().ends_with(".weight") || tensor.name().ends_with(".bias")) n += volume_of(tensor);
  return n;
}

// The model with every shape as ONNX infers it, not as the builder says.
onnx::ModelProto inferred(onnx::ModelProto model) {
  for (auto& output : *model.mutable_graph()->mutable_output())
    output.mutable_type()->mutable_tensor_type()->clear_shape();
  onnx::shape_inference::InferShapes(model);
  return model;
}

double giga_multiply_adds(const onnx::ModelProto& with_shapes) {
  const auto& graph = with_shapes.graph();
  std::map<std::string, Shape> shapes;
  for (const auto& info : graph.value_info()) shapes[info.name()] = shape_of(info);
  for (const auto& info : graph.output()) shapes[info.name()] = shape_of(info);
  std::map<std::string, Shape> weights;
  for (const auto& tensor : graph.initializer()) weights[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
  double sum = 0;
  for (const auto& node : graph.node())
    if (node.op_type() == "Conv" || node.op_type() == "Gemm") {
      const Shape& weight = weights.at(node.input(1));
      const Shape& dst = shapes.at(node.output(0));
      const std::int64_t taps = volume(weight) / weight[0];
      sum += static_cast<double>(taps) * static_cast<double>(volume(dst));
    }
  return sum / 1e9;
}

// A folder of this test alone, gone when the test ends.
class ZooFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path file(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string bytes(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(file(name), std::ios::binary).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::ptrdiff_t n_files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }
  [[nodiscard]] Graph imported(const std::string& name, ZooSize size) const {
    write(name, size, 1, file(name));
    return onnx_import::import_model(file(name), {}).graph;
  }

 private:
  fs::path folder_;
};

std::string message_of(const std::string& name, std::optional<ZooSize> size, const fs::path& file) {
  try {
    write(name, size, 1, file);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

// Sources: torchvision's model pages; Ultralytics' yolov3-tiny and yolov8n; PyTorch's example fast_neural_style;
// milesial's Pytorch-UNet with two classes.
TEST(Zoo, HasAsManyParametersAsTheOriginals) {
  const std::map<std::string, Index> known{
      {"vgg16", 138357544},
      {"vgg16_conv", 14714688},
      {"resnet18", 11689512},
      {"resnet50", 25557032},
      {"mobilenet_v2", 3504872},
      {"mobilenet_v3_large", 5483032},
      {"efficientnet_b0", 5288548},
      {"squeezenet1_1", 1235496},
      {"densenet121", 7978856},
      {"googlenet", 6624904},
      {"shufflenet_v2_x1_0", 2278604},
      {"yolov8n", 3157200},
      {"fast_style", 1679235},
      // 42,004,074 with the auxiliary classifier: 3x3 from 1024 to 256 channels, norm, 1x1 to 21 classes
      {"deeplabv3_resnet50", 42004074 - 2365205},
      {"yolov3_tiny", 8852366},
      {"unet", 31037698}};
  for (const auto& [name, n] : known) EXPECT_EQ(learned_parameters(counted(name)), n) << name;
}

// torchvision's documentation has "GFLOPS" (multiply-adds) with two digits behind the point.
TEST(Zoo, MultipliesAsOftenAsTheOriginals) {
  const std::map<std::string, double> known{{"vgg16", 15.47},
                                            {"resnet18", 1.81},
                                            {"resnet50", 4.09},
                                            {"mobilenet_v2", 0.30},
                                            {"mobilenet_v3_large", 0.22},
                                            {"efficientnet_b0", 0.39},
                                            {"shufflenet_v2_x1_0", 0.14},
                                            {"squeezenet1_1", 0.35},
                                            {"densenet121", 2.83},
                                            {"googlenet", 1.50}};
  for (const auto& [name, expected] : known)
    EXPECT_NEAR(giga_multiply_adds(inferred(counted(name))), expected, 0.005) << name;
}

TEST(Zoo, DeclaresTheShapesThatOnnxInfers) {
  for (const std::string& name : names()) {
    const onnx::ModelProto declared = counted(name);
    const onnx::ModelProto checked = inferred(declared);
    ASSERT_EQ(declared.graph().output_size(), checked.graph().output_size());
    for (int i = 0; i < declared.graph().output_size(); ++i)
      EXPECT_EQ(shape_of(declared.graph().output(i)), shape_of(checked.graph().output(i))) << name;
  }
}

TEST(Zoo, NamesAndShapesItsPorts) {
  const auto first = [](const std::string& name) { return counted(name).graph().output(0); };
  EXPECT_EQ(shape_of(first("resnet50")), (Shape{1, 1000}));
  EXPECT_EQ(shape_of(first("vgg16_conv")), (Shape{1, 512, 7, 7}));
  EXPECT_EQ(shape_of(first("unet")), (Shape{1, 2, 512, 512}));
  EXPECT_EQ(first("unet").name(), "output");
  EXPECT_EQ(counted("unet").graph().input(0).name(), "input");
  const onnx::ModelProto yolo = counted("yolov3_tiny");
  EXPECT_EQ(yolo.graph().output(0).name(), "output_13");
  EXPECT_EQ(shape_of(yolo.graph().output(0)), (Shape{1, 255, 13, 13}));
  EXPECT_EQ(yolo.graph().output(1).name(), "output_26");
  EXPECT_EQ(shape_of(yolo.graph().output(1)), (Shape{1, 255, 26, 26}));
  EXPECT_EQ(shape_of(first("yolov8n")), (Shape{1, 84, 8400}));
  EXPECT_EQ(shape_of(first("deeplabv3_resnet50")), (Shape{1, 21, 520, 520}));
  EXPECT_EQ(shape_of(first("fast_style")), (Shape{1, 3, 480, 640}));
  const onnx::ModelProto edges = counted("edges");
  EXPECT_EQ(edges.graph().input(0).name(), "image");
  EXPECT_EQ(shape_of(edges.graph().input(0)), (Shape{1, 3, 1080, 1920}));
  EXPECT_EQ(edges.graph().output(0).name(), "edges");
  EXPECT_EQ(shape_of(edges.graph().output(0)), (Shape{1, 3, 1080, 1920}));
}

TEST(Zoo, TakesAnotherSize) {
  const onnx::ModelProto model = counted("resnet18", ZooSize{96, 160});
  EXPECT_EQ(shape_of(model.graph().input(0)), (Shape{1, 3, 96, 160}));
  EXPECT_EQ(shape_of(inferred(model).graph().output(0)), (Shape{1, 1000}));
  // The classifier keeps its size where torchvision pools to 7x7.
  EXPECT_EQ(learned_parameters(counted("vgg16", ZooSize{640, 256})), 138357544);
}

TEST(Zoo, DrawsTheSameNumbersOnEveryMachine) {
  Random random(1);
  EXPECT_EQ(random.normal(1), -0x1.3c2accp-1F);
  EXPECT_EQ(random.normal(1), 0x1.128cf2p+0F);
  EXPECT_EQ(random.uniform(2, 3), 0x1.7c49dp+1F);
}

TEST(Zoo, DrawsNormalNumbers) {
  Random random(7);
  constexpr int n = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const double value = random.normal(3);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / n, 0, 0.05);
  EXPECT_NEAR(std::sqrt(squares / n), 3, 0.03);
}

TEST_F(ZooFile, SatisfiesOnnxsChecker) {
  for (const std::string name :
       {"resnet18", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "squeezenet1_1", "densenet121",
        "googlenet", "yolov3_tiny", "shufflenet_v2_x1_0", "yolov8n", "fast_style", "edges"}) {
    const onnx::ModelProto whole = model(name, ZooSize{64, 64}, 1, Fill::weights);
    EXPECT_NO_THROW(onnx::checker::check_model(whole)) << name;
  }
}

TEST_F(ZooFile, HasTheSameBytesForTheSameSeed) {
  write("squeezenet1_1", std::nullopt, 5, file("one"));
  write("squeezenet1_1", std::nullopt, 5, file("two"));
  write("squeezenet1_1", std::nullopt, 6, file("other"));
  EXPECT_GT(bytes("one").size(), 4U * 1235496U);
  EXPECT_TRUE(bytes("one") == bytes("two"));
  EXPECT_FALSE(bytes("one") == bytes("other"));
}

TEST_F(ZooFile, KeepsActivationsSaneAndTellsInputsApart) {
  constexpr ZooSize size{48, 48};
  for (const std::string name :
       {"resnet18", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "squeezenet1_1", "googlenet"}) {
    const Graph graph = imported(name, size);
    std::vector<std::vector<float>> outputs;
    for (const std::uint64_t seed : {11U, 12U}) {
      Random random(seed);
      std::vector<float> image(static_cast<std::size_t>(3 * size.h * size.w));
      for (float& value : image) value = random.normal(1);
      outputs.push_back(kernels::evaluate_reference(graph, {image})[static_cast<std::size_t>(graph.outputs[0].op)]);
    }
    double power = 0;
    double difference = 0;
    for (std::size_t i = 0; i < outputs[0].size(); ++i) {
      power += std::pow(outputs[0][i], 2);
      difference += std::pow(outputs[0][i] - outputs[1][i], 2);
    }
    const double size_of_logit = std::sqrt(power / static_cast<double>(outputs[0].size()));
    EXPECT_GT(size_of_logit, 0.05) << name;
    EXPECT_LT(size_of_logit, 20) << name;
    EXPECT_GT(std::sqrt(difference / power), 0.02) << name;
  }
}

// What `edges` paints at a pixel of a picture whose grey value `grey` gives: the brightest of the three colours.
class Edges : public ZooFile {
 protected:
  void run(const std::function<float(Index y, Index x)>& grey) {
    const Graph graph = imported("edges", {rows, columns});
    std::vector<float> image;
    for (int c = 0; c < 3; ++c)
      for (Index y = 0; y < rows; ++y)
        for (Index x = 0; x < columns; ++x) image.push_back(grey(y, x));
    painted_ = kernels::evaluate_reference(graph, {image})[static_cast<std::size_t>(graph.outputs[0].op)];
  }
  [[nodiscard]] float brightest(Index y, Index x) const {
    float most = 0;
    for (Index c = 0; c < 3; ++c) most = std::max(most, at(c, y, x));
    return most;
  }
  [[nodiscard]] float at(Index c, Index y, Index x) const {
    return painted_[static_cast<std::size_t>((c * rows + y) * columns + x)];
  }
  static constexpr Index rows = 80;
  static constexpr Index columns = 96;

 private:
  std::vector<float> painted_;
};

TEST_F(Edges, StaysDarkOnAPlainGroundAndAtTheBorder) {
  run([](Index, Index) { return 200.F; });
  float most = 0;
  for (Index y = 0; y < rows; ++y)
    for (Index x = 0; x < columns; ++x) most = std::max(most, brightest(y, x));
  EXPECT_LT(most, 64);
}

TEST_F(Edges, ShowsDirectionsInDifferentColours) {
  run([](Index, Index x) { return x < columns / 2 ? 60.F : 190.F; });
  EXPECT_GT(brightest(40, columns / 2), 150);
  EXPECT_LT(brightest(40, 20), 60);
  const float upright = at(0, 40, columns / 2) - at(2, 40, columns / 2);
  run([](Index y, Index) { return y < rows / 2 ? 60.F : 190.F; });
  EXPECT_GT(brightest(rows / 2, 48), 150);
  const float level = at(0, rows / 2, 48) - at(2, rows / 2, 48);
  EXPECT_GT(upright, 50);  // redder than blue
  EXPECT_LT(level, -50);   // bluer than red
}

TEST_F(Edges, AddsWhiteWhereEdgesMeet) {
  run([](Index y, Index x) { return y >= 40 && x >= 48 ? 130.F : 90.F; });
  const auto whiteness = [&](Index y, Index x) { return std::min({at(0, y, x), at(1, y, x), at(2, y, x)}); };
  EXPECT_GT(whiteness(41, 49), 1.5F * whiteness(41, 70));
  EXPECT_GT(whiteness(41, 49), 1.5F * whiteness(62, 49));
}

TEST_F(ZooFile, ListsWhatItHasWhenAskedForAnother) {
  const std::string message = message_of("lenet", std::nullopt, file("m.onnx"));
  EXPECT_NE(message.find("lenet"), std::string::npos) << message;
  for (const std::string& name : names()) EXPECT_NE(message.find(name), std::string::npos) << message;
  EXPECT_EQ(n_files(), 0);
}

TEST_F(ZooFile, TellsTheLeastSizeWhenOneIsTooSmall) {
  EXPECT_NE(message_of("vgg16_conv", ZooSize{20, 300}, file("m.onnx")).find("at least 32x32, got 20x300"),
            std::string::npos);
  EXPECT_NE(message_of("densenet121", ZooSize{0, -3}, file("m.onnx")).find("at least 29x29"), std::string::npos);
  EXPECT_NE(message_of("unet", ZooSize{100, 160}, file("m.onnx")).find("multiples of 16"), std::string::npos);
  EXPECT_NE(message_of("resnet18", ZooSize{64, 1 << 20}, file("m.onnx")).find("at most"), std::string::npos);
  EXPECT_EQ(n_files(), 0);
}

TEST_F(ZooFile, LeavesNoPartialFileWhereItCannotWrite) {
  EXPECT_NE(message_of("edges", std::nullopt, file("no/such/m.onnx")).find("No such file"), std::string::npos);
  fs::create_directories(file("folder/inside"));
  EXPECT_NE(message_of("edges", std::nullopt, file("folder")).find("cannot write"), std::string::npos);
  EXPECT_EQ(n_files(), 1);
}

}  // namespace
}  // namespace strake::zoo
