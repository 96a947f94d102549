// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The networks of the zoo, one function each; `zoo.cpp` names them.

#include "onnx/zoo.hpp"
#include "onnx/zoo_builder.hpp"

namespace strake::zoo {

void build_vgg16(Builder& net, ZooSize size);
void build_vgg16_conv(Builder& net, ZooSize size);
void build_resnet18(Builder& net, ZooSize size);
void build_resnet50(Builder& net, ZooSize size);
void build_mobilenet_v2(Builder& net, ZooSize size);
void build_squeezenet1_1(Builder& net, ZooSize size);
void build_densenet121(Builder& net, ZooSize size);
void build_googlenet(Builder& net, ZooSize size);
void build_yolov3_tiny(Builder& net, ZooSize size);
void build_unet(Builder& net, ZooSize size);
void build_edges(Builder& net, ZooSize size);

}  // namespace strake::zoo
