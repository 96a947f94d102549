// SPDX-License-Identifier: Apache-2.0
#include "onnx/model_file.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>

#include "core/errors.hpp"
#include "io/file.hpp"

namespace strake::onnx_import {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t oldest_opset = 1;
constexpr std::int64_t newest_opset = 22;  // 22 adds bfloat16 to operators, and nothing else

[[noreturn]] void refuse(const fs::path& file, const std::string& why) {
  throw InvalidInput("'" + file.string() + "' is no ONNX model that can be read: " + why);
}

}  // namespace

std::string type_name(int data_type) {
  std::string name = onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(data_type));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name == "float") return "float32";
  return name.empty() ? "type " + std::to_string(data_type) : name;
}

std::int64_t opset_of(const onnx::ModelProto& model, const std::string& where) {
  std::int64_t opset = 0;
  for (const auto& import : model.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") opset = std::max(opset, import.version());
  if (opset < oldest_opset || opset > newest_opset)
    throw InvalidInput("'" + where + "' uses opset " + std::to_string(opset) + ", expected " +
                       std::to_string(oldest_opset) + " to " + std::to_string(newest_opset));
  return opset;
}

namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// Field numbers of onnx.proto; part of the format for ever.
constexpr int model_graph = 7;
constexpr int graph_initializer = 5;
constexpr int tensor_raw_data = 9;

// Calls `take` for each field `number` of the message that `input` is in; its other fields are merged into `message`.
// protobuf's own parser doubles a string's memory while a long one arrives; here every weight is read once, into place.
template <class Message, class Take>
bool read_fields(CodedInputStream& input, int number, Message& message, Take take) {
  std::string others;
  {
    StringOutputStream stream(&others);
    CodedOutputStream output(&stream);
    while (const std::uint32_t tag = input.ReadTag()) {
      const bool wanted = WireFormatLite::GetTagFieldNumber(tag) == number &&
                          WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      if (!wanted) {
        if (!WireFormatLite::SkipField(&input, tag, &output)) return false;
        continue;
      }
      int length = 0;
      if (!input.ReadVarintSizeAsInt(&length) || length > input.BytesUntilTotalBytesLimit()) return false;
      const auto limit = input.PushLimit(length);
      if (!take(length) || input.BytesUntilLimit() != 0) return false;
      input.PopLimit(limit);
    }
  }
  return input.ConsumedEntireMessage() && message.MergeFromString(others);
}

bool read_tensor(CodedInputStream& input, onnx::TensorProto& tensor) {
  return read_fields(input, tensor_raw_data, tensor, [&](int length) {
    std::string& raw = *tensor.mutable_raw_data();
    raw.resize(static_cast<std::size_t>(length));
    return input.ReadRaw(raw.data(), length);
  });
}

bool read_graph(CodedInputStream& input, onnx::GraphProto& graph) {
  return read_fields(input, graph_initializer, graph,
                     [&](int) { return read_tensor(input, *graph.add_initializer()); });
}

bool read_message(std::istream& stream, std::uintmax_t n_bytes, onnx::ModelProto& model) {
  google::protobuf::io::IstreamInputStream raw(&stream, 1 << 16);
  CodedInputStream input(&raw);
  // A length that the file cannot hold is refused before memory is asked for. One byte more than there are, since
  // reaching this limit counts as an error, and the end of the file does not.
  input.SetTotalBytesLimit(static_cast<int>(std::min<std::uintmax_t>(n_bytes + 1, std::numeric_limits<int>::max())));
  return read_fields(input, model_graph, model, [&](int) { return read_graph(input, *model.mutable_graph()); });
}

}  // namespace

onnx::ModelProto read_model(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) throw InvalidInput("there is no model file '" + file.string() + "'");
  io::expect_regular_file(file, "an ONNX file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InvalidInput("cannot read the model file '" + file.string() + "'");
  const std::uintmax_t n_bytes = fs::file_size(file, error);
  if (error) throw InvalidInput("cannot read the model file '" + file.string() + "': " + error.message());
  if (n_bytes == 0) refuse(file, "it is empty");
  onnx::ModelProto model;
  if (!read_message(stream, n_bytes, model)) refuse(file, "it is truncated or something else");
  if (!model.has_graph()) refuse(file, "it has no graph");
  if (model.graph().node_size() == 0 && model.graph().output_size() == 0) refuse(file, "its graph is empty");
  if (!model.has_ir_version()) refuse(file, "it names no IR version");
  (void)opset_of(model, file.string());
  return model;
}

namespace {

using Types = onnx::TensorProto;

constexpr std::pair<Types::DataType, ElementType> types[] = {
    {Types::FLOAT, ElementType::f32},     {Types::DOUBLE, ElementType::f64}, {Types::FLOAT16, ElementType::f16},
    {Types::BFLOAT16, ElementType::bf16}, {Types::INT8, ElementType::i8},    {Types::INT16, ElementType::i16},
    {Types::INT32, ElementType::i32},     {Types::INT64, ElementType::i64},  {Types::UINT8, ElementType::u8},
    {Types::UINT16, ElementType::u16},    {Types::UINT32, ElementType::u32}, {Types::UINT64, ElementType::u64},
    {Types::BOOL, ElementType::boolean}};

}  // namespace

std::optional<ElementType> element_type(int data_type) {
  for (const auto& [number, type] : types)
    if (number == data_type) return type;
  return std::nullopt;
}

int onnx_type(ElementType type) {
  for (const auto& [number, one] : types)
    if (one == type) return number;
  return Types::UNDEFINED;
}

namespace {

Shape shape_of(const onnx::TensorProto& tensor, const std::string& where) {
  Shape shape;
  double cells = 1;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0) throw InvalidInput(where + ": a dimension is " + std::to_string(size));
    cells *= static_cast<double>(std::max<std::int64_t>(size, 1));
    if (cells > 1e12) throw InvalidInput(where + ": the shape is too large");
    shape.push_back(size);
  }
  return shape;
}

// The bytes of a tensor whose data lies in a file beside the model.
std::string external_bytes(const onnx::TensorProto& tensor, std::size_t n_bytes, const std::string& where,
                           const fs::path& directory) {
  std::string location;
  std::uint64_t offset = 0;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = std::strtoull(entry.value().c_str(), nullptr, 10);
  }
  const fs::path relative(location);
  bool leaves = relative.is_absolute() || location.empty();
  for (const fs::path& part : relative) leaves = leaves || part == "..";
  if (leaves)
    throw InvalidInput(where + ": its external data lies at '" + location + "', expected a file beside the model");
  const fs::path file = directory / relative;
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) throw InvalidInput(where + ": its external data '" + file.string() + "' cannot be read");
  if (offset > size || n_bytes > size - offset)
    throw InvalidInput(where + ": needs bytes " + std::to_string(offset) + " to " + std::to_string(offset + n_bytes) +
                       " of '" + file.string() + "', which has " + std::to_string(size));
  std::string bytes(n_bytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(n_bytes)))
    throw InvalidInput(where + ": '" + file.string() + "' cannot be read");
  return bytes;
}

// Elements that lie in a typed field rather than in raw_data, as raw bytes.
template <class T, class Field>
std::string typed_bytes(const Field& field) {
  std::string bytes(static_cast<std::size_t>(field.size()) * sizeof(T), '\0');
  for (int i = 0; i < field.size(); ++i) {
    const T value = number_cast<T>(field.Get(i));
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

std::string field_bytes(const onnx::TensorProto& tensor, ElementType type) {
  return with_type(type, [&]<class T>(std::type_identity<T>) {
    if (type == ElementType::f32) return typed_bytes<T>(tensor.float_data());
    if (type == ElementType::f64) return typed_bytes<T>(tensor.double_data());
    if (type == ElementType::i64) return typed_bytes<T>(tensor.int64_data());
    if (type == ElementType::u64 || type == ElementType::u32) return typed_bytes<T>(tensor.uint64_data());
    return typed_bytes<T>(tensor.int32_data());
  });
}

}  // namespace

HostTensor take_tensor(onnx::TensorProto& tensor, const std::string& where, const fs::path& directory) {
  const std::optional<ElementType> type = element_type(tensor.data_type());
  if (!type) throw InvalidInput(where + ": elements of type " + type_name(tensor.data_type()) + " are not supported");
  HostTensor value{.type = *type, .shape = shape_of(tensor, where), .data = {}};
  const std::size_t wanted = static_cast<std::size_t>(value.size()) * size_of(*type);
  std::string bytes;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL)
    bytes = external_bytes(tensor, wanted, where, directory);
  else if (tensor.has_raw_data())
    bytes = std::move(*tensor.mutable_raw_data());
  else
    bytes = field_bytes(tensor, *type);
  if (bytes.size() != wanted)
    throw InvalidInput(where + ": shape " + to_string(value.shape) + " of " + type_name(tensor.data_type()) +
                       " needs " + std::to_string(wanted) + " bytes, the file has " + std::to_string(bytes.size()));
  // A bool that is neither 0 nor 1 is none.
  if (*type == ElementType::boolean)
    for (char& byte : bytes) byte = byte != 0 ? 1 : 0;
  value.data = Blob::adopt(std::move(bytes));
  return value;
}

}  // namespace strake::onnx_import
