// SPDX-License-Identifier: Apache-2.0
#include "io/npy.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/errors.hpp"
#include "io/file.hpp"

namespace strake::io {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view magic = "\x93NUMPY"sv;
constexpr Index most_elements = Index{1} << 40;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw InvalidInput("'" + file.string() + "' is no .npy file that can be read: " + what);
}

// What follows "'key':" in the header, a Python dictionary.
std::string_view value_of(std::string_view header, std::string_view key, const std::filesystem::path& file) {
  const std::size_t at = header.find("'" + std::string(key) + "'");
  const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  if (colon == std::string_view::npos) refuse(file, "its header has no '" + std::string(key) + "'");
  std::string_view value = header.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

std::string quoted(std::string_view value, const std::filesystem::path& file) {
  const std::size_t end = value.empty() ? std::string_view::npos : value.find(value.front(), 1);
  if (end == std::string_view::npos || (value.front() != '\'' && value.front() != '"'))
    refuse(file, "its element type is not text");
  return std::string(value.substr(1, end - 1));
}

Shape shape_of(std::string_view value, const std::filesystem::path& file) {
  if (value.empty() || value.front() != '(' || value.find(')') == std::string_view::npos)
    refuse(file, "its shape is no tuple");
  Shape shape;
  Index cells = 1;
  for (std::size_t i = 1; i < value.size() && value[i] != ')';) {
    if (value[i] == ' ' || value[i] == ',') {
      ++i;
      continue;
    }
    Index size = 0;
    if (value[i] < '0' || value[i] > '9') refuse(file, "its shape has something other than numbers");
    for (; i < value.size() && value[i] >= '0' && value[i] <= '9'; ++i) {
      size = size * 10 + (value[i] - '0');
      if (size > most_elements) refuse(file, "its shape is too large");
    }
    const Index factor = std::max<Index>(size, 1);
    if (factor > most_elements / cells || shape.size() >= 32) refuse(file, "its shape is too large");
    cells *= factor;
    shape.push_back(size);
  }
  return shape;
}

bool truth(std::string_view value, const std::filesystem::path& file) {
  if (value.starts_with("True")) return true;
  if (!value.starts_with("False")) refuse(file, "its 'fortran_order' is neither True nor False");
  return false;
}

struct Header {
  std::string type;  // as "<f4"
  bool fortran_order = false;
  Shape shape;
  std::size_t data_begin = 0;
};

Header header_of(const std::string& bytes, const std::filesystem::path& file) {
  if (bytes.size() < 10 || !bytes.starts_with(magic)) refuse(file, "it does not begin with \\x93NUMPY");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t version = byte(6);
  std::size_t begin = 10;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version >= 2) {
    if (bytes.size() < 12) refuse(file, "it ends within its header");
    begin = 12;
    length |= byte(10) << 16 | byte(11) << 24;
  }
  if (version < 1 || version > 3) refuse(file, "its version is " + std::to_string(version) + ", expected 1, 2 or 3");
  if (length > bytes.size() - begin) refuse(file, "it ends within its header");
  const std::string_view text(bytes.data() + begin, length);
  return {.type = quoted(value_of(text, "descr", file), file),
          .fortran_order = truth(value_of(text, "fortran_order", file), file),
          .shape = shape_of(value_of(text, "shape", file), file),
          .data_begin = begin + length};
}

// As NumPy names them; bfloat16 has no name there.
constexpr std::pair<std::string_view, ElementType> formats[] = {
    {"<f4", ElementType::f32}, {"<f8", ElementType::f64}, {"<f2", ElementType::f16}, {"|i1", ElementType::i8},
    {"<i2", ElementType::i16}, {"<i4", ElementType::i32}, {"<i8", ElementType::i64}, {"|u1", ElementType::u8},
    {"<u2", ElementType::u16}, {"<u4", ElementType::u32}, {"<u8", ElementType::u64}, {"|b1", ElementType::boolean}};

// Single bytes have no order, and files write '|', '<' or nothing before them.
std::optional<ElementType> format_of(const std::string& type) {
  for (const auto& [name, element] : formats)
    if (type == name ||
        (size_of(element) == 1 && (type == name.substr(1) || type == "<" + std::string(name.substr(1)))))
      return element;
  return std::nullopt;
}

std::string_view descr_of(ElementType type) {
  for (const auto& [name, element] : formats)
    if (element == type) return name;
  return "";
}

// Where element `place` of the row-major tensor lies in a file in Fortran order.
Index fortran_place(Index place, const Shape& shape) {
  std::vector<Index> at(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; place /= shape[axis]) at[axis] = place % shape[axis];
  Index result = 0;
  for (std::size_t axis = shape.size(); axis-- > 0;) result = result * shape[axis] + at[axis];
  return result;
}

}  // namespace

HostTensor read_npy(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const Header header = header_of(bytes, file);
  const std::optional<ElementType> type = format_of(header.type);
  if (!type)
    refuse(file,
           "its elements are '" + header.type + "', expected little-endian numbers or booleans such as <f4 or <i8");
  const Index cells = volume(header.shape);
  const std::size_t n_each = size_of(*type);
  const std::size_t wanted = static_cast<std::size_t>(cells) * n_each;
  if (bytes.size() - header.data_begin != wanted)
    refuse(file, "shape " + to_string(header.shape) + " needs " + std::to_string(wanted) + " bytes, it has " +
                     std::to_string(bytes.size() - header.data_begin));

  HostTensor tensor = HostTensor::allocate(*type, header.shape);
  const char* from = bytes.data() + header.data_begin;
  if (!header.fortran_order && wanted > 0) std::memcpy(tensor.data.data(), from, wanted);
  for (Index i = 0; header.fortran_order && i < cells; ++i)
    std::memcpy(tensor.data.data() + static_cast<std::size_t>(i) * n_each,
                from + static_cast<std::size_t>(fortran_place(i, header.shape)) * n_each, n_each);
  // A bool that is neither 0 nor 1 is none.
  if (*type == ElementType::boolean)
    for (std::size_t i = 0; i < wanted; ++i)
      tensor.data.data()[i] = tensor.data.data()[i] == std::byte{0} ? std::byte{0} : std::byte{1};
  return tensor;
}

void write_npy(const std::filesystem::path& file, const HostTensor& tensor) {
  if (tensor.type == ElementType::bf16) return write_npy(file, converted(tensor, ElementType::f32));
  const std::string_view type = descr_of(tensor.type);
  std::string shape;
  for (const Index size : tensor.shape) shape += std::to_string(size) + ", ";
  if (tensor.shape.size() > 1) shape.resize(shape.size() - 2);
  if (tensor.shape.size() == 1) shape.pop_back();
  std::string header = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // The data begins at a multiple of 64 bytes, and the header ends with a line break.
  header.append(63 - (magic.size() + 4 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(magic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size_bytes());
  write_file(file, bytes);
}

}  // namespace strake::io
