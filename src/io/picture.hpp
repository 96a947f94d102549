// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Pictures: decoding, fitting to a model's input, drawing and writing.

#include <filesystem>
#include <optional>
#include <vector>

#include "core/host_tensor.hpp"

namespace strake::io {

/// 8-bit pixels, (h, w, c) row-major, c = 1 (grey) or 3 (RGB).
struct Picture {
  Index h = 0;
  Index w = 0;
  Index c = 3;
  std::vector<unsigned char> pixels;
};

enum class Resize : unsigned char { stretch, letterbox };
enum class ChannelOrder : unsigned char { rgb, bgr };

/// Where a picture goes.
struct PictureTarget {
  Index c = 3;  // 1 or 3
  Index h = 0;
  Index w = 0;
  Resize resize = Resize::stretch;            // bilinear; letterbox keeps proportions, centred, filled with grey 114
  ChannelOrder channels = ChannelOrder::rgb;  // of what comes out
};

/// JPEG or PNG by its content; alpha is dropped (over black), grey stays grey. Limits the size to 2^28 pixels.
/// @throws InvalidInput naming the file: missing, corrupt, another format
[[nodiscard]] Picture read_picture(const std::filesystem::path& file);

/// Resized, channels converted and ordered; a u8 tensor (1, c, h, w).
[[nodiscard]] HostTensor fit(const Picture& picture, const PictureTarget& target);

/// @throws InvalidInput if the file cannot be written; no partial file stays
void write_png(const std::filesystem::path& file, const Picture& picture);

/// A tensor as a picture: the last two axes (h, w) of (.., 1 or 3, h, w), or (.., h, w, 1 or 3), or (h, w). Values are
/// pixels as they are where they are u8, or floats that look like it: all within [0, 255] and one above 1, or all the
/// same. Other floats are stretched from [min, max] to [0, 255]. Empty if the tensor is no picture.
[[nodiscard]] std::optional<Picture> to_picture(const HostTensor& tensor);

}  // namespace strake::io
