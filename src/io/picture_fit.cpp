// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/errors.hpp"
#include "io/picture.hpp"

namespace strake::io {

namespace {

constexpr unsigned char letterbox_grey = 114;

// The two source pixels around a destination pixel's centre, and the weight of the second.
struct Tap {
  Index first;
  Index second;
  float weight;
};

std::vector<Tap> taps(Index src, Index dst) {
  std::vector<Tap> list;
  const double step = static_cast<double>(src) / static_cast<double>(dst);
  for (Index i = 0; i < dst; ++i) {
    const double at = std::clamp((static_cast<double>(i) + 0.5) * step - 0.5, 0.0, static_cast<double>(src - 1));
    const auto first = static_cast<Index>(at);
    list.push_back({first, std::min(first + 1, src - 1), static_cast<float>(at - static_cast<double>(first))});
  }
  return list;
}

// Bilinear with half-pixel centres.
Picture resized(const Picture& src, Index h, Index w) {
  if (src.h == h && src.w == w) return src;
  Picture dst{
      .h = h, .w = w, .c = src.c, .pixels = std::vector<unsigned char>(static_cast<std::size_t>(h * w * src.c))};
  const std::vector<Tap> rows = taps(src.h, h);
  const std::vector<Tap> columns = taps(src.w, w);
  const auto pixel = [&](Index y, Index x, Index c) {
    return static_cast<float>(src.pixels[static_cast<std::size_t>((y * src.w + x) * src.c + c)]);
  };
  for (Index y = 0; y < h; ++y) {
    const Tap row = rows[static_cast<std::size_t>(y)];
    for (Index x = 0; x < w; ++x) {
      const Tap column = columns[static_cast<std::size_t>(x)];
      for (Index c = 0; c < src.c; ++c) {
        const float top = pixel(row.first, column.first, c) * (1 - column.weight) +
                          pixel(row.first, column.second, c) * column.weight;
        const float bottom = pixel(row.second, column.first, c) * (1 - column.weight) +
                             pixel(row.second, column.second, c) * column.weight;
        dst.pixels[static_cast<std::size_t>((y * w + x) * src.c + c)] =
            static_cast<unsigned char>(std::lround(top * (1 - row.weight) + bottom * row.weight));
      }
    }
  }
  return dst;
}

Picture letterboxed(const Picture& src, Index h, Index w) {
  const double scale = std::min(static_cast<double>(h) / static_cast<double>(src.h),
                                static_cast<double>(w) / static_cast<double>(src.w));
  const auto side = [&](Index size, Index most) {
    return std::clamp<Index>(std::llround(static_cast<double>(size) * scale), 1, most);
  };
  const Picture inner = resized(src, side(src.h, h), side(src.w, w));
  Picture dst{.h = h, .w = w, .c = src.c, .pixels = {}};
  dst.pixels.assign(static_cast<std::size_t>(h * w * src.c), letterbox_grey);
  const Index top = (h - inner.h) / 2;
  const Index left = (w - inner.w) / 2;
  for (Index y = 0; y < inner.h; ++y)
    std::copy_n(inner.pixels.begin() + y * inner.w * src.c, inner.w * src.c,
                dst.pixels.begin() + ((top + y) * w + left) * src.c);
  return dst;
}

// Channel `c` of a target pixel. Grey from colours by ITU-R BT.601's luma.
unsigned char channel(const unsigned char* pixel, Index src_channels, const PictureTarget& target, Index c) {
  if (target.c == 1 && src_channels == 3)
    return static_cast<unsigned char>(std::lround(0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]));
  if (src_channels == 1) return pixel[0];
  return pixel[target.channels == ChannelOrder::bgr ? 2 - c : c];
}

}  // namespace

HostTensor fit(const Picture& picture, const PictureTarget& target) {
  ensure((target.c == 1 || target.c == 3) && target.h > 0 && target.w > 0, "a picture's target has 1 or 3 channels");
  const Picture sized = target.resize == Resize::letterbox ? letterboxed(picture, target.h, target.w)
                                                           : resized(picture, target.h, target.w);
  HostTensor tensor{.type = ElementType::u8,
                    .shape = {1, target.c, target.h, target.w},
                    .data = Blob::allocate(static_cast<std::size_t>(target.c * target.h * target.w))};
  const Index area = target.h * target.w;
  for (Index i = 0; i < area; ++i)
    for (Index c = 0; c < target.c; ++c)
      tensor.data.data()[static_cast<std::size_t>(c * area + i)] =
          static_cast<std::byte>(channel(sized.pixels.data() + i * sized.c, sized.c, target, c));
  return tensor;
}

}  // namespace strake::io
