// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The networks of the zoo: each reads the input's size and writes itself down.

#include "onnx/zoo.hpp"
#include "onnx/zoo_builder.hpp"

namespace strake::zoo {

void vgg16(Builder& builder, ZooSize size);
void vgg16_conv(Builder& builder, ZooSize size);
void resnet18(Builder& builder, ZooSize size);
void resnet50(Builder& builder, ZooSize size);
void mobilenet_v2(Builder& builder, ZooSize size);
void mobilenet_v3_large(Builder& builder, ZooSize size);
void efficientnet_b0(Builder& builder, ZooSize size);
void shufflenet_v2_x1_0(Builder& builder, ZooSize size);
void squeezenet1_1(Builder& builder, ZooSize size);
void densenet121(Builder& builder, ZooSize size);
void googlenet(Builder& builder, ZooSize size);
void yolov3_tiny(Builder& builder, ZooSize size);
void unet(Builder& builder, ZooSize size);
void yolov8n(Builder& builder, ZooSize size);
void deeplabv3_resnet50(Builder& builder, ZooSize size);
void fast_style(Builder& builder, ZooSize size);
void edges(Builder& builder, ZooSize size);

/// The model that `write` writes, checked as `write` checks.
/// @throws InvalidInput for an unknown name and for a size that does not fit
[[nodiscard]] onnx::ModelProto model(const std::string& name, std::optional<ZooSize> size, std::uint64_t seed,
                                     Fill fill);

}  // namespace strake::zoo
