// SPDX-License-Identifier: Apache-2.0
#include "cluster/wire.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace {

using namespace strake;
using namespace strake::cluster;

Message submission(const TensorMap& tensors) {
  Message message;
  message.body.set_version(wire_version);
  put_tensors(tensors, *message.body.mutable_submit()->mutable_tensors(), message.parts);
  return message;
}

TEST(Wire, CarriesTensorsOfAllTypesAndShapes) {
  TensorMap tensors;
  tensors["floats"] = HostTensor::of<float>({1, 2, 2}, {1, 2, 3, 4});
  tensors["bytes"] = HostTensor::of<std::uint8_t>({3}, {7, 8, 9});
  tensors["scalar"] = HostTensor::of<std::int64_t>({}, {-5});
  tensors["empty"] = HostTensor::of<float>({0, 3}, {});
  Message message = submission(tensors);
  EXPECT_EQ(fault_of(message), std::nullopt);
  const std::string bytes = message.body.SerializeAsString();
  const auto body = parse_envelope(bytes.data(), bytes.size());
  ASSERT_TRUE(body);
  const TensorMap back = take_tensors(body->submit().tensors(), message.parts);
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(back.at(name).type, tensor.type);
    EXPECT_EQ(back.at(name).shape, tensor.shape);
    ASSERT_EQ(back.at(name).data.size_bytes(), tensor.data.size_bytes());
    EXPECT_EQ(std::memcmp(back.at(name).data.data(), tensor.data.data(), tensor.data.size_bytes()), 0);
  }
}

TEST(Wire, DoesNotCopyLargeTensors) {
  TensorMap tensors{{"x", HostTensor::allocate(ElementType::f32, {1 << 16})}};
  const std::byte* before = tensors.at("x").data.data();
  Message message = submission(tensors);
  tensors.clear();
  EXPECT_EQ(static_cast<std::byte*>(message.parts.at(0).data()), before) << "and its memory lives on";
  const TensorMap back = take_tensors(message.body.submit().tensors(), message.parts);
  EXPECT_EQ(back.at("x").data.data(), before);
}

TEST(Wire, FindsTheFaultsOfMessages) {
  const auto fault_after = [](const std::function<void(wire::Tensor&, Message&)>& spoil) {
    Message message = submission({{"x", HostTensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})}});
    spoil(*message.body.mutable_submit()->mutable_tensors(0), message);
    return fault_of(message).has_value();
  };
  EXPECT_FALSE(fault_after([](auto&, auto&) {}));
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) { tensor.set_type(13); }));
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) { tensor.set_type(5); })) << "other bytes";
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) { tensor.set_shape(0, -2); }));
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) { tensor.set_shape(0, std::int64_t{1} << 62); }));
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) {
    tensor.set_shape(0, std::int64_t{1} << 32);
    tensor.set_shape(1, std::int64_t{1} << 32);
  })) << "the product overflows";
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) {
    for (int i = 0; i < 100; ++i) tensor.add_shape(1);
  }));
  EXPECT_TRUE(fault_after([](auto& tensor, auto&) { tensor.set_name(std::string(5000, 'x')); }));
  EXPECT_TRUE(fault_after([](auto&, auto& message) { message.parts.clear(); }));
  EXPECT_TRUE(fault_after([](auto&, auto& message) { message.parts.emplace_back(24); }));
  EXPECT_TRUE(fault_after([](auto&, auto& message) { message.parts[0].rebuild(23); }));
  EXPECT_TRUE(fault_after([](auto& tensor, auto& message) {
    *message.body.mutable_submit()->add_tensors() = wire::Tensor(tensor);
    message.parts.emplace_back(24);
  })) << "two of one name";
  EXPECT_TRUE(fault_after([](auto&, auto& message) { message.body.clear_body(); }));
  EXPECT_TRUE(fault_after([](auto&, auto& message) { message.body.mutable_hello(); })) << "parts that nobody named";
}

TEST(Wire, RefusesOtherVersionsAndWhatIsTooLong) {
  wire::Envelope body;
  body.mutable_hello()->set_client("abc");
  std::string bytes = body.SerializeAsString();
  EXPECT_FALSE(parse_envelope(bytes.data(), bytes.size())) << "no version";
  body.set_version(wire_version + 1);
  bytes = body.SerializeAsString();
  EXPECT_FALSE(parse_envelope(bytes.data(), bytes.size()));
  body.set_version(wire_version);
  bytes = body.SerializeAsString();
  EXPECT_TRUE(parse_envelope(bytes.data(), bytes.size()));
  body.mutable_hello()->set_client(std::string(most_envelope_bytes, 'x'));
  bytes = body.SerializeAsString();
  EXPECT_FALSE(parse_envelope(bytes.data(), bytes.size()));
}

TEST(Wire, SurvivesWhatIsNoMessage) {
  Message whole = submission({{"x", HostTensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})}});
  const std::string bytes = whole.body.SerializeAsString();
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string spoilt = bytes;
    const int changes = 1 + static_cast<int>(random() % 8);
    for (int k = 0; k < changes; ++k) spoilt[random() % spoilt.size()] = static_cast<char>(random());
    spoilt.resize(random() % (spoilt.size() + 1));
    const auto body = parse_envelope(spoilt.data(), spoilt.size());
    if (!body) continue;
    Message message;
    message.body = *body;
    message.parts.emplace_back(24);
    if (fault_of(message) || !message.body.has_submit()) continue;
    for (const auto& [name, tensor] : take_tensors(message.body.submit().tensors(), message.parts))
      EXPECT_EQ(static_cast<std::size_t>(tensor.size()) * size_of(tensor.type), tensor.data.size_bytes());
  }
}

}  // namespace
