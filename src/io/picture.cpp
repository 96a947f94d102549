// SPDX-License-Identifier: Apache-2.0
#include "io/picture.hpp"

#include <stb_image.h>
#include <stb_image_write.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "core/errors.hpp"
#include "io/file.hpp"

namespace strake::io {

namespace {

using namespace std::string_view_literals;

constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

// Alpha over black.
void drop_alpha(const unsigned char* from, Picture& picture, Index channels) {
  const Index colours = channels - 1;
  for (Index i = 0; i < picture.h * picture.w; ++i)
    for (Index c = 0; c < colours; ++c) {
      const int value = from[i * channels + c] * from[i * channels + colours];
      picture.pixels[static_cast<std::size_t>(i * colours + c)] = static_cast<unsigned char>((value + 127) / 255);
    }
}

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1A\n"sv); }
bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8"sv); }

// stb takes the rest of a JPEG to be grey. The end of the picture stands behind the last scan; pixels hold neither
// mark, but a small picture inside of the first header may.
bool ends_too_early(std::string_view bytes) {
  if (is_png(bytes)) return bytes.find("IEND"sv) == std::string_view::npos;
  const std::size_t scan = bytes.rfind("\xFF\xDA"sv);
  return scan == std::string_view::npos || bytes.find("\xFF\xD9"sv, scan) == std::string_view::npos;
}

// In our words: stb's are for its developers.
std::string what_is_wrong_with(std::string_view bytes) {
  if (bytes.empty()) return "it is empty";
  if (!is_png(bytes) && !is_jpeg(bytes)) return "it begins like neither";
  const std::string kind = is_png(bytes) ? "the PNG" : "the JPEG";
  if (ends_too_early(bytes)) return kind + " is cut short";
  return kind + " is damaged, or of a kind that is not supported";
}

}  // namespace

Picture read_picture(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto refuse = [&](const std::string& why) -> InvalidInput {
    return InvalidInput("'" + file.string() + "' is no JPEG or PNG picture that can be read: " + why);
  };
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw refuse("it is larger than 2 GB");
  const int n_bytes = static_cast<int>(bytes.size());
  int w = 0;
  int h = 0;
  int channels = 0;
  if (stbi_info_from_memory(data, n_bytes, &w, &h, &channels) == 0) throw refuse(what_is_wrong_with(bytes));
  if (is_jpeg(bytes) && ends_too_early(bytes)) throw refuse(what_is_wrong_with(bytes));
  if (std::int64_t{w} * h > most_pixels)
    throw refuse(std::to_string(w) + "x" + std::to_string(h) + " is more than 2^28 pixels");
  const std::unique_ptr<unsigned char, void (*)(void*)> pixels(
      stbi_load_from_memory(data, n_bytes, &w, &h, &channels, 0), stbi_image_free);
  if (!pixels && stbi_failure_reason() == "outofmem"sv)
    throw refuse("there is no memory for " + std::to_string(w) + "x" + std::to_string(h) + " pixels");
  if (!pixels) throw refuse(what_is_wrong_with(bytes));

  Picture picture{.h = h, .w = w, .c = channels <= 2 ? 1 : 3, .pixels = {}};
  const auto size = static_cast<std::size_t>(picture.h * picture.w * picture.c);
  picture.pixels.resize(size);
  if (channels == 2 || channels == 4)
    drop_alpha(pixels.get(), picture, channels);
  else
    std::copy_n(pixels.get(), size, picture.pixels.begin());
  return picture;
}

void write_png(const std::filesystem::path& file, const Picture& picture) {
  std::string bytes;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  };
  const auto w = static_cast<int>(picture.w);
  const int written =
      stbi_write_png_to_func(append, &bytes, w, static_cast<int>(picture.h), static_cast<int>(picture.c),
                             picture.pixels.data(), w * static_cast<int>(picture.c));
  if (written == 0) throw InvalidInput("'" + file.string() + "': a picture of this size cannot be encoded");
  write_file(file, bytes);
}

namespace {

struct Axes {
  Index c;
  Index h;
  Index w;
  bool channels_last;
};

// How a tensor's last axes are a picture; everything before them has size 1.
std::optional<Axes> picture_axes(const Shape& shape) {
  const std::size_t n = shape.size();
  const auto leading_ones = [&](std::size_t used) {
    return std::all_of(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(used), [](Index s) { return s == 1; });
  };
  const auto is_channels = [](Index size) { return size == 1 || size == 3; };
  if (n >= 3 && leading_ones(3) && is_channels(shape[n - 3]))
    return Axes{shape[n - 3], shape[n - 2], shape[n - 1], false};
  if (n >= 3 && leading_ones(3) && is_channels(shape[n - 1]))
    return Axes{shape[n - 1], shape[n - 3], shape[n - 2], true};
  if (n == 2) return Axes{1, shape[0], shape[1], false};
  return std::nullopt;
}

// The values that become 0 and 255.
struct Scale {
  float low = 0;
  float high = 255;
};

Scale scale_of(std::span<const float> values) {
  float low = std::numeric_limits<float>::infinity();
  float high = -low;
  for (const float value : values)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  const bool pixels_already = low >= 0 && high <= 255 && high > 1;
  return pixels_already || low >= high ? Scale{} : Scale{low, high};
}

// What is no number is black.
unsigned char scaled(float value, Scale scale) {
  // Halves: the difference of two floats may be no float.
  const float share = (value / 2 - scale.low / 2) / (scale.high / 2 - scale.low / 2);
  if (std::isnan(share)) return 0;
  return static_cast<unsigned char>(std::lround(std::clamp(share, 0.0F, 1.0F) * 255));
}

}  // namespace

std::optional<Picture> to_picture(const HostTensor& tensor) {
  const std::optional<Axes> axes = picture_axes(tensor.shape);
  const bool fits = tensor.type == ElementType::f32 || tensor.type == ElementType::u8;
  if (!axes || !fits || volume(tensor.shape) == 0) return std::nullopt;
  Picture picture{.h = axes->h, .w = axes->w, .c = axes->c, .pixels = {}};
  picture.pixels.resize(static_cast<std::size_t>(volume(tensor.shape)));
  const Scale scale = tensor.type == ElementType::f32 ? scale_of(tensor.data.floats()) : Scale{};
  const Index area = axes->h * axes->w;
  for (Index i = 0; i < area; ++i)
    for (Index c = 0; c < axes->c; ++c) {
      const auto from = static_cast<std::size_t>(axes->channels_last ? i * axes->c + c : c * area + i);
      const auto to = static_cast<std::size_t>(i * axes->c + c);
      picture.pixels[to] = tensor.type == ElementType::u8 ? std::to_integer<unsigned char>(tensor.data.data()[from])
                                                          : scaled(tensor.data.floats()[from], scale);
    }
  return picture;
}

}  // namespace strake::io
