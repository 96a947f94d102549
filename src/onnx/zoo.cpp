// SPDX-License-Identifier: Apache-2.0
#include "onnx/zoo.hpp"

#include <algorithm>
#include <array>

#include "core/errors.hpp"
#include "onnx/zoo_families.hpp"

namespace strake::zoo {

namespace {

struct Network {
  const char* name;
  ZooSize size;  // usual
  void (*build)(Builder&, ZooSize);
};

constexpr std::array<Network, 11> networks = {{{"vgg16", {224, 224}, build_vgg16},
                                               {"vgg16_conv", {224, 224}, build_vgg16_conv},
                                               {"resnet18", {224, 224}, build_resnet18},
                                               {"resnet50", {224, 224}, build_resnet50},
                                               {"mobilenet_v2", {224, 224}, build_mobilenet_v2},
                                               {"squeezenet1_1", {224, 224}, build_squeezenet1_1},
                                               {"densenet121", {224, 224}, build_densenet121},
                                               {"googlenet", {224, 224}, build_googlenet},
                                               {"yolov3_tiny", {416, 416}, build_yolov3_tiny},
                                               {"unet", {512, 512}, build_unet},
                                               {"edges", {1080, 1920}, build_edges}}};

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const Network& network : networks) list.emplace_back(network.name);
  return list;
}

void write(const std::string& name, std::optional<ZooSize> size, std::uint64_t seed,
           const std::filesystem::path& file) {
  const auto found = std::find_if(networks.begin(), networks.end(), [&](const Network& n) { return name == n.name; });
  if (found == networks.end()) {
    std::string known;
    for (const Network& network : networks) known += std::string(known.empty() ? "" : ", ") + network.name;
    throw InvalidInput("the zoo has no network '" + name + "'; it has " + known);
  }
  Builder builder(name, seed);
  found->build(builder, size.value_or(found->size));
  builder.write(file);
}

}  // namespace strake::zoo
