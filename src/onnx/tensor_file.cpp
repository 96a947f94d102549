// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor_file.hpp"

#include <unistd.h>

#include <fstream>

#include "onnx/model_file.hpp"

namespace strake::onnx_import {

namespace fs = std::filesystem;

HostTensor read_tensor_proto(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) throw InvalidInput("'" + file.string() + "' is a directory, expected a file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InvalidInput("cannot read '" + file.string() + "'");
  onnx::TensorProto proto;
  if (!proto.ParseFromIstream(&stream) || proto.data_type() == 0)
    throw InvalidInput("'" + file.string() + "' is no ONNX TensorProto");
  const std::string where = "'" + file.string() + "'";
  const int type = proto.data_type();
  if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::FLOAT16 && type != onnx::TensorProto::UINT8)
    throw InvalidInput(where + " has elements of type " + type_name(type) + ", expected float32, float16 or uint8");
  HostValue value = take_tensor(proto, where, file.parent_path());
  HostTensor tensor{.type = ElementType::f32, .shape = value.shape, .data = value.floats};
  if (type == onnx::TensorProto::UINT8) {
    tensor.type = ElementType::u8;
    tensor.data = Blob::allocate(value.integers.size());
    for (std::size_t i = 0; i < value.integers.size(); ++i)
      tensor.data.data()[i] = static_cast<std::byte>(value.integers[i]);
  }
  return tensor;
}

void write_tensor_proto(const fs::path& file, const std::string& name, const HostTensor& tensor) {
  onnx::TensorProto proto;
  proto.set_name(name);
  for (const Index size : tensor.shape) proto.add_dims(size);
  proto.set_data_type(tensor.type == ElementType::f32   ? onnx::TensorProto::FLOAT
                      : tensor.type == ElementType::f16 ? onnx::TensorProto::FLOAT16
                                                        : onnx::TensorProto::UINT8);
  proto.set_raw_data(tensor.data.data(), tensor.data.size_bytes());
  const fs::path partial = file.string() + "." + std::to_string(getpid()) + ".partial";
  std::ofstream stream(partial, std::ios::binary);
  const bool written = proto.SerializeToOstream(&stream);
  stream.close();
  std::error_code error;
  if (written && stream) fs::rename(partial, file, error);
  if (!written || !stream || error) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw InvalidInput("cannot write '" + file.string() + "'");
  }
}

}  // namespace strake::onnx_import
