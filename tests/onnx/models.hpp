// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Small ONNX models for tests.

#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/host_tensor.hpp"
#include "onnx/model_file.hpp"

namespace strake::onnx_import {

inline onnx::AttributeProto attribute(const std::string& name, std::int64_t value) {
  onnx::AttributeProto proto;
  proto.set_name(name);
  proto.set_type(onnx::AttributeProto::INT);
  proto.set_i(value);
  return proto;
}

inline onnx::AttributeProto attribute(const std::string& name, const std::string& value) {
  onnx::AttributeProto proto;
  proto.set_name(name);
  proto.set_type(onnx::AttributeProto::STRING);
  proto.set_s(value);
  return proto;
}

inline onnx::AttributeProto attribute(const std::string& name, const onnx::GraphProto& value) {
  onnx::AttributeProto proto;
  proto.set_name(name);
  proto.set_type(onnx::AttributeProto::GRAPH);
  *proto.mutable_g() = value;
  return proto;
}

inline onnx::NodeProto node(const std::string& type, const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs,
                            const std::vector<onnx::AttributeProto>& attributes = {}) {
  onnx::NodeProto proto;
  proto.set_op_type(type);
  proto.set_name(outputs.front() + "-maker");
  for (const std::string& input : inputs) proto.add_input(input);
  for (const std::string& output : outputs) proto.add_output(output);
  for (const auto& one : attributes) *proto.add_attribute() = one;
  return proto;
}

inline void add_value(onnx::ValueInfoProto& info, const std::string& name, ElementType type, const Shape& shape) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx_type(type));
  tensor.mutable_shape();
  for (const Index size : shape) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (size >= 0) dim.set_dim_value(size);
  }
}

/// A model that is put together piece by piece and written to a file of its own.
class TestModel {
 public:
  explicit TestModel(std::int64_t opset = 17) {
    model_.set_ir_version(8);
    model_.add_opset_import()->set_version(opset);
    graph().set_name("test");
  }

  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  TestModel& input(const std::string& name, ElementType type, const Shape& shape) {
    add_value(*graph().add_input(), name, type, shape);
    return *this;
  }
  TestModel& output(const std::string& name, ElementType type) {
    add_value(*graph().add_output(), name, type, {});
    graph().mutable_output(graph().output_size() - 1)->mutable_type()->mutable_tensor_type()->clear_shape();
    return *this;
  }
  TestModel& weight(const std::string& name, const HostTensor& value) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx_type(value.type));
    for (const Index size : value.shape) tensor.add_dims(size);
    tensor.set_raw_data(value.data.data(), value.data.size_bytes());
    return *this;
  }
  TestModel& add(const onnx::NodeProto& one) {
    *graph().add_node() = one;
    return *this;
  }

  /// Written below the directory for temporary files; removed with this object.
  std::filesystem::path file() {
    file_ = std::filesystem::temp_directory_path() / ("strake-test-" + std::to_string(getpid()) + ".onnx");
    std::ofstream stream(file_, std::ios::binary);
    model_.SerializeToOstream(&stream);
    return file_;
  }
  TestModel(const TestModel&) = delete;
  TestModel& operator=(const TestModel&) = delete;
  ~TestModel() {
    std::error_code ignored;
    if (!file_.empty()) std::filesystem::remove(file_, ignored);
  }

 private:
  onnx::ModelProto model_;
  std::filesystem::path file_;
};

}  // namespace strake::onnx_import
