// SPDX-License-Identifier: Apache-2.0
#include "cluster/preview.hpp"

#include <algorithm>
#include <cmath>

namespace strake::cluster {

namespace {

bool is_picture(const HostTensor& tensor) {
  const bool has_type = tensor.type == ElementType::f32 || tensor.type == ElementType::u8;
  return has_type && tensor.shape.size() == 4 && tensor.shape[0] >= 1 &&
         (tensor.shape[1] == 1 || tensor.shape[1] == 3) && tensor.shape[2] > 0 && tensor.shape[3] > 0;
}

double value_at(const HostTensor& tensor, Index i) {
  const auto place = static_cast<std::size_t>(i);
  if (tensor.type == ElementType::u8) return tensor.view<std::uint8_t>()[place];
  const auto value = static_cast<double>(tensor.view<float>()[place]);
  return std::isfinite(value) ? value : 0;
}

// What the pixels of the preview read: channel after channel, row after row.
std::vector<double> samples_of(const HostTensor& tensor, int width, int height) {
  const Index channels = tensor.shape[1];
  const Index rows = tensor.shape[2];
  const Index columns = tensor.shape[3];
  std::vector<double> samples;
  for (Index channel = 0; channel < channels; ++channel)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        samples.push_back(value_at(tensor, (channel * rows + y * rows / height) * columns + x * columns / width));
  return samples;
}

}  // namespace

Preview preview_of(const TensorMap& inputs, int longest) {
  const auto found = std::ranges::find_if(inputs, [](const auto& input) { return is_picture(input.second); });
  if (found == inputs.end()) return {};
  const HostTensor& tensor = found->second;
  const double shrink = std::max(1.0, static_cast<double>(std::max(tensor.shape[2], tensor.shape[3])) / longest);
  const auto pixels = [&](Index size) { return std::max(1, static_cast<int>(static_cast<double>(size) / shrink)); };
  Preview preview{.width = pixels(tensor.shape[3]), .height = pixels(tensor.shape[2]), .rgba = {}};
  const std::vector<double> samples = samples_of(tensor, preview.width, preview.height);
  const auto [low, high] = std::ranges::minmax(samples);
  const double scale = high > low ? 255 / (high - low) : 0;
  const std::size_t n_pixels = static_cast<std::size_t>(preview.width) * static_cast<std::size_t>(preview.height);
  for (std::size_t i = 0; i < n_pixels; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const double sample = samples[tensor.shape[1] == 3 ? channel * n_pixels + i : i];
      preview.rgba.push_back(static_cast<std::uint8_t>(std::lround((sample - low) * scale)));
    }
    preview.rgba.push_back(255);
  }
  return preview;
}

}  // namespace strake::cluster
