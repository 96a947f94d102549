// SPDX-License-Identifier: Apache-2.0
#include "io/npy.hpp"

#include <cstring>
#include <random>

#include "core/half.hpp"
#include "io/scratch_folder.hpp"

namespace strake::io {
namespace {

using test::complaint;
using test::mentions;

// A header as NumPy lays it out, and what follows it.
std::string npy(const std::string& dictionary, const std::string& data, char version = 1) {
  std::string text = dictionary;
  const std::size_t fixed = version == 1 ? 10 : 12;
  text.append((64 - (fixed + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  std::string bytes("\x93NUMPY");
  bytes += {version, '\0', static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + text + data;
}

std::string header(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<float> floats_of(const HostTensor& tensor) {
  return {tensor.data.floats().begin(), tensor.data.floats().end()};
}

class Npy : public test::ScratchFolder {
 protected:
  [[nodiscard]] HostTensor read(const std::string& bytes) const { return read_npy(written("a.npy", bytes)); }
  [[nodiscard]] std::string refusal(const std::string& bytes) const {
    return complaint([&] { (void)read(bytes); });
  }
};

// numpy 1.24: np.save(f, np.array([[1.5, -2.0, 3.25]], dtype=np.float32))
TEST_F(Npy, ReadsWhatNumpyWrites) {
  std::string bytes("\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", 69);
  bytes += std::string(58, ' ') + "\n";
  bytes += std::string("\x00\x00\xC0\x3F\x00\x00\x00\xC0\x00\x00\x50\x40", 12);
  ASSERT_EQ(bytes.size(), 128U + 12U);
  const HostTensor tensor = read(bytes);
  EXPECT_EQ(tensor.type, ElementType::f32);
  EXPECT_EQ(tensor.shape, (Shape{1, 3}));
  EXPECT_EQ(floats_of(tensor), (std::vector<float>{1.5F, -2.0F, 3.25F}));
  // And writes the same bytes.
  write_npy(file("b.npy"), tensor);
  std::ifstream again(file("b.npy"), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(again), {}), bytes);
}

TEST_F(Npy, ComesBackAsItWasWrittenForEachTypeAndRank) {
  for (const ElementType type :
       {ElementType::f32, ElementType::f64, ElementType::f16, ElementType::u8, ElementType::u16, ElementType::u32,
        ElementType::u64, ElementType::i8, ElementType::i16, ElementType::i32, ElementType::i64, ElementType::boolean})
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{1, 3, 4, 5}, Shape{2, 0, 3}}) {
      HostTensor tensor{.type = type, .shape = shape, .data = {}};
      tensor.data = Blob::allocate(static_cast<std::size_t>(volume(shape)) * size_of(type));
      for (std::size_t i = 0; i < tensor.data.size_bytes(); ++i)
        tensor.data.data()[i] = std::byte(i * 37 % (type == ElementType::boolean ? 2 : 120));
      write_npy(file("t.npy"), tensor);
      const HostTensor back = read_npy(file("t.npy"));
      EXPECT_EQ(back.type, type);
      EXPECT_EQ(back.shape, shape);
      ASSERT_EQ(back.data.size_bytes(), tensor.data.size_bytes());
      EXPECT_EQ(std::memcmp(back.data.data(), tensor.data.data(), tensor.data.size_bytes()), 0) << to_string(shape);
      EXPECT_EQ((std::filesystem::file_size(file("t.npy")) - tensor.data.size_bytes()) % 64, 0U);
    }
  EXPECT_EQ(n_files(), 1);
}

TEST_F(Npy, WritesBfloat16AsFloat32) {
  write_npy(file("t.npy"), converted(HostTensor::of<float>({2}, {1.5F, -3.0F}), ElementType::bf16));
  EXPECT_EQ(floats_of(read_npy(file("t.npy"))), (std::vector<float>{1.5F, -3.0F}));
}

TEST_F(Npy, MakesBooleansOfOtherBytes) {
  const HostTensor tensor = read(npy(header("|b1", "(3,)"), std::string("\x00\x01\x07", 3)));
  EXPECT_EQ(std::memcmp(tensor.data.data(), "\x00\x01\x01", 3), 0);
}

TEST_F(Npy, TurnsFortranOrderAround) {
  // Columns of [[1, 2, 3], [4, 5, 6]] one after the other.
  const std::string bytes = npy(header("<f4", "(2, 3)", "True"), bytes_of<float>({1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(floats_of(read(bytes)), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const std::string three = npy(header("|u1", "(2, 1, 2)", "True"), std::string("\x01\x03\x02\x04", 4));
  EXPECT_EQ(std::memcmp(read(three).data.data(), "\x01\x02\x03\x04", 4), 0);
}

TEST_F(Npy, ReadsEveryVersionAndType) {
  for (const char version : {'\1', '\2', '\3'}) {
    const HostTensor tensor = read(npy(header("<f8", "(2,)"), bytes_of<double>({0.1, -1e300}), version));
    EXPECT_EQ(tensor.type, ElementType::f64);
    EXPECT_EQ(tensor.view<double>()[0], 0.1);
    EXPECT_EQ(tensor.view<double>()[1], -1e300);
  }
  const HostTensor half = read(npy(header("<f2", "(1,)"), bytes_of<std::uint16_t>({float_to_half(0.5F)})));
  EXPECT_EQ(half.type, ElementType::f16);
  EXPECT_EQ(floats_of(read(npy(header("<f4", "()"), bytes_of<float>({7})))), (std::vector<float>{7}));
}

TEST_F(Npy, SaysWhatItExpectedAndWhatCame) {
  EXPECT_TRUE(mentions(refusal(npy(header("<c8", "(1,)"), std::string(8, 'x'))), "'<c8', expected little-endian"));
  EXPECT_TRUE(mentions(refusal(npy(header(">f4", "(1,)"), "abcd")), "little-endian"));
  EXPECT_TRUE(mentions(refusal(npy(header("<f4", "(2, 2)"), std::string(15, 'x'))), "needs 16 bytes, it has 15"));
  EXPECT_TRUE(mentions(refusal(npy(header("<f4", "(2, 2)"), std::string(17, 'x'))), "needs 16 bytes, it has 17"));
  EXPECT_TRUE(mentions(refusal("PK\x03\x04 not an array at all"), "does not begin with"));
  EXPECT_TRUE(mentions(refusal(npy(header("<f4", "()"), "abcd", 9)), "version is 9"));
  EXPECT_TRUE(mentions(complaint([&] { (void)read_npy(file("none.npy")); }), "none.npy"));
}

TEST_F(Npy, RefusesHeadersThatLie) {
  const std::vector<std::string> dictionaries{"",
                                              "{}",
                                              "{'descr'",
                                              "{'descr': }",
                                              "{'descr': '<f4', 'shape': (1,)}",
                                              "{'descr': '<f4', 'fortran_order': False}",
                                              "{'descr': '<f4', 'fortran_order': Perhaps, 'shape': (1,)}",
                                              "{'descr': <f4, 'fortran_order': False, 'shape': (1,)}",
                                              "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
                                              header("<f4", "1"),
                                              header("<f4", "(1"),
                                              header("<f4", "(-1,)"),
                                              header("<f4", "(1.5,)"),
                                              header("<f4", "(4294967296, 4294967296)"),
                                              header("<f4", "(99999999999999999999999999999,)"),
                                              header("<f4", "(0, 9223372036854775807, 9223372036854775807)"),
                                              header("<f4", "(1099511627776,)")};
  for (const std::string& dictionary : dictionaries)
    EXPECT_TRUE(mentions(refusal(npy(dictionary, "abcd")), "a.npy")) << dictionary;
  // A header longer than the file.
  EXPECT_TRUE(mentions(refusal(std::string("\x93NUMPY\x01\x00\xFF\xFF{'descr'", 18)), "ends within its header"));
  EXPECT_TRUE(mentions(refusal(std::string("\x93NUMPY\x02\x00\xFF\xFF", 10)), "ends within its header"));
}

TEST_F(Npy, SurvivesEveryCutAndManyWrongBytes) {
  const std::string whole = npy(header("<f4", "(2, 3)"), bytes_of<float>({1, 2, 3, 4, 5, 6}));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_NE(refusal(whole.substr(0, n)), "") << n << " bytes";
  std::mt19937 random(20);  // NOLINT(cert-msc51-cpp): the same bytes every time
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    std::string bytes = whole;
    for (int j = 0; j < 3; ++j) bytes[random() % 100] = static_cast<char>(random());
    refused += refusal(bytes).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 250);
}

TEST_F(Npy, LeavesNoPartialFileWhereItCannotWrite) {
  const HostTensor tensor = read(npy(header("<f4", "(1,)"), "abcd"));
  EXPECT_TRUE(mentions(complaint([&] { write_npy(file("no/such/b.npy"), tensor); }), "b.npy"));
  EXPECT_EQ(n_files(), 1);  // the one that was read
}

}  // namespace
}  // namespace strake::io
