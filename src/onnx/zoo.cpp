// SPDX-License-Identifier: Apache-2.0
#include "onnx/zoo.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "io/file.hpp"
#include "onnx/zoo_networks.hpp"

namespace strake::zoo {

namespace {

namespace fs = std::filesystem;

struct Network {
  const char* name;
  ZooSize usual;
  Index multiple;  // of rows and columns: maps that were halved and doubled meet those that were not
  void (*build)(Builder&, ZooSize);
};

constexpr std::array networks{
    Network{"vgg16", {224, 224}, 1, vgg16},
    Network{"vgg16_conv", {224, 224}, 1, vgg16_conv},
    Network{"resnet18", {224, 224}, 1, resnet18},
    Network{"resnet50", {224, 224}, 1, resnet50},
    Network{"mobilenet_v2", {224, 224}, 1, mobilenet_v2},
    Network{"mobilenet_v3_large", {224, 224}, 1, mobilenet_v3_large},
    Network{"efficientnet_b0", {224, 224}, 1, efficientnet_b0},
    Network{"shufflenet_v2_x1_0", {224, 224}, 1, shufflenet_v2_x1_0},
    Network{"squeezenet1_1", {224, 224}, 1, squeezenet1_1},
    Network{"densenet121", {224, 224}, 1, densenet121},
    Network{"googlenet", {224, 224}, 1, googlenet},
    Network{"yolov3_tiny", {416, 416}, 32, yolov3_tiny},
    Network{"unet", {512, 512}, 16, unet},
    Network{"yolov8n", {640, 640}, 32, yolov8n},
    Network{"deeplabv3_resnet50", {520, 520}, 1, deeplabv3_resnet50},
    Network{"fast_style", {480, 640}, 4, fast_style},
    Network{"edges", {1080, 1920}, 1, edges},
};

constexpr Index most_rows = 65536;

std::string text(ZooSize size) { return std::to_string(size.h) + "x" + std::to_string(size.w); }

const Network& network_of(const std::string& name) {
  const auto found = std::find_if(networks.begin(), networks.end(), [&](const auto& one) { return one.name == name; });
  if (found != networks.end()) return *found;
  std::string known;
  for (const std::string& one : names()) known += (known.empty() ? "" : ", ") + one;
  throw InvalidInput("the zoo has no network '" + name + "', only " + known);
}

bool fits(const Network& network, ZooSize size) {
  try {
    Builder builder(network.name, 0, Fill::shapes_only);
    network.build(builder, size);
    return true;
  } catch (const TooSmall&) {
    return false;
  }
}

// Rows and columns do not depend on each other, so each is tried beside the other's usual number.
ZooSize least_size(const Network& network) {
  ZooSize least{network.multiple, network.multiple};
  while (!fits(network, {least.h, network.usual.w})) least.h += network.multiple;
  while (!fits(network, {network.usual.h, least.w})) least.w += network.multiple;
  return least;
}

void check_size(const Network& network, ZooSize size) {
  const std::string name = std::string("'") + network.name + "'";
  if (size.h > most_rows || size.w > most_rows)
    throw InvalidInput(name + " needs a size of at most " + text({most_rows, most_rows}) + ", got " + text(size));
  const bool positive = size.h > 0 && size.w > 0;
  if (positive && (size.h % network.multiple != 0 || size.w % network.multiple != 0))
    throw InvalidInput(name + " needs a height and a width that are multiples of " + std::to_string(network.multiple) +
                       ", got " + text(size));
  if (!positive || !fits(network, size))
    throw InvalidInput(name + " needs a size of at least " + text(least_size(network)) + ", got " + text(size));
}

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const Network& network : networks) list.emplace_back(network.name);
  return list;
}

onnx::ModelProto model(const std::string& name, std::optional<ZooSize> size, std::uint64_t seed, Fill fill) {
  const Network& network = network_of(name);
  const ZooSize chosen = size.value_or(network.usual);
  check_size(network, chosen);
  Builder builder(network.name, seed, fill);
  network.build(builder, chosen);
  return builder.take();
}

void write(const std::string& name, std::optional<ZooSize> size, std::uint64_t seed, const fs::path& file) {
  // The file is opened first: an unwritable place is told before weights are drawn for seconds.
  io::write_file(file, [&](std::ostream& stream) {
    // Fails on a stream that is fine where the model has more bytes than protobuf can count.
    if (!model(name, size, seed, Fill::weights).SerializeToOstream(&stream) && stream)
      throw InvalidInput("'" + name + "' of this size has more than the 2 GB that fit into an ONNX file");
  });
}

}  // namespace strake::zoo
