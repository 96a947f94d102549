// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor_file.hpp"

#include <ostream>

#include "io/file.hpp"
#include "onnx/model_file.hpp"

namespace strake::onnx_import {

namespace fs = std::filesystem;

HostTensor read_tensor_proto(const fs::path& file) {
  const std::string bytes = io::read_file(file);
  onnx::TensorProto proto;
  if (!proto.ParseFromString(bytes) || proto.data_type() == 0)
    throw InvalidInput("'" + file.string() + "' is no ONNX TensorProto");
  return take_tensor(proto, "'" + file.string() + "'", file.parent_path());
}

void write_tensor_proto(const fs::path& file, const std::string& name, const HostTensor& tensor) {
  onnx::TensorProto proto;
  proto.set_name(name);
  for (const Index size : tensor.shape) proto.add_dims(size);
  proto.set_data_type(onnx_type(tensor.type));
  proto.set_raw_data(tensor.data.data(), tensor.data.size_bytes());
  io::write_file(file, [&](std::ostream& stream) {
    // Fails on a stream that is fine where the tensor has more bytes than protobuf can count.
    if (!proto.SerializeToOstream(&stream) && stream)
      throw InvalidInput("'" + name + "' has more than the 2 GB that fit into a TensorProto; --format npy writes it");
  });
}

}  // namespace strake::onnx_import
