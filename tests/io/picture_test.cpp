// SPDX-License-Identifier: Apache-2.0
#include "io/picture.hpp"

#include <limits>
#include <sstream>

#include "io/scratch_folder.hpp"

// stb's encoder, which the library has but does not offer.
extern "C" int stbi_write_jpg_to_func(void (*append)(void*, void*, int), void* context, int w, int h, int channels,
                                      const void* pixels, int quality);

namespace strake::io {
namespace {

using test::complaint;
using test::mentions;

// A colour picture in which each pixel and channel has its own value.
Picture sample(Index h, Index w, Index c) {
  Picture picture{.h = h, .w = w, .c = c, .pixels = {}};
  for (Index i = 0; i < h * w * c; ++i) picture.pixels.push_back(static_cast<unsigned char>(i * 7 % 251));
  return picture;
}

std::vector<int> values_of(const HostTensor& tensor) {
  std::vector<int> values;
  for (std::size_t i = 0; i < tensor.data.size_bytes(); ++i)
    values.push_back(std::to_integer<int>(tensor.data.data()[i]));
  return values;
}

HostTensor floats(Shape shape, const std::vector<float>& values) {
  return {.type = ElementType::f32, .shape = std::move(shape), .data = Blob::copy_of(values)};
}

class PictureFile : public test::ScratchFolder {};

TEST_F(PictureFile, ComesBackAsItWasWritten) {
  for (const Index c : {1, 3}) {
    const Picture picture = sample(5, 7, c);
    write_png(file("p.png"), picture);
    const Picture back = read_picture(file("p.png"));
    EXPECT_EQ(back.h, 5);
    EXPECT_EQ(back.w, 7);
    EXPECT_EQ(back.c, c);
    EXPECT_EQ(back.pixels, picture.pixels);
  }
  EXPECT_EQ(n_files(), 1);
}

// One pixel (200, 100, 50) with alpha 128, one (10, 20, 30) with alpha 255; zlib data stored, not compressed.
TEST_F(PictureFile, LaysAlphaOverBlack) {
  const std::string bytes(
      "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x02\0\0\0\x01\x08\x06\0\0\0\xF4\x22\x7F\x8A"
      "\0\0\0\x14IDAT\x78\x01\x01\x09\0\xF6\xFF\0\xC8\x64\x32\x80\x0A\x14\x1E\xFF\x0E\x50\x03\x1A\xEA\xBC\x0E\x02"
      "\0\0\0\0IEND\xAE\x42\x60\x82",
      77);
  const Picture picture = read_picture(written("alpha.png", bytes));
  EXPECT_EQ(picture.c, 3);
  EXPECT_EQ(picture.pixels, (std::vector<unsigned char>{100, 50, 25, 10, 20, 30}));
}

TEST_F(PictureFile, RefusesWhatIsNoPicture) {
  for (const std::string& bytes : {std::string(), std::string("GIF89a not wanted"), std::string("\x89PNG\r\n\x1A\n")})
    EXPECT_TRUE(mentions(complaint([&] { (void)read_picture(written("bad.png", bytes)); }), "bad.png"));
  EXPECT_TRUE(mentions(complaint([&] { (void)read_picture(file("none.jpg")); }), "none.jpg"));
}

TEST_F(PictureFile, RefusesCutAndHugePictures) {
  write_png(file("p.png"), sample(40, 40, 3));
  std::ostringstream whole;
  whole << std::ifstream(file("p.png"), std::ios::binary).rdbuf();
  std::string bytes = whole.str();
  for (std::size_t n = 0; n < bytes.size() / 2; n += 11)
    EXPECT_NE(complaint([&] { (void)read_picture(written("cut.png", bytes.substr(0, n))); }), "") << n;
  bytes.replace(16, 8, std::string("\0\0\x46\x50\0\0\x46\x50", 8));  // 18000x18000 pixels
  EXPECT_TRUE(mentions(complaint([&] { (void)read_picture(written("huge.png", bytes)); }), "2^28"));
}

TEST_F(PictureFile, SaysWhetherAPictureIsCutOrDamaged) {
  const Picture picture = sample(64, 64, 3);
  std::string jpeg;
  const auto append = [](void* context, void* data, int size) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  };
  ASSERT_NE(stbi_write_jpg_to_func(append, &jpeg, 64, 64, 3, picture.pixels.data(), 90), 0);
  EXPECT_EQ(read_picture(written("whole.jpg", jpeg + "behind")).h, 64);
  const auto complaint_about = [&](const std::string& bytes) {
    return complaint([&] { (void)read_picture(written("bad.jpg", bytes)); });
  };
  // Cut within its pixels, with the end of a small picture in a header before them.
  const std::string header("\xFF\xE1\x00\x06\xFF\xDA\xFF\xD9", 8);
  const std::string cut = jpeg.substr(0, 2) + header + jpeg.substr(2, jpeg.size() - 40);
  EXPECT_TRUE(mentions(complaint_about(cut), "the JPEG is cut short")) << complaint_about(cut);
  EXPECT_TRUE(mentions(complaint_about(""), "it is empty"));
  EXPECT_TRUE(mentions(complaint_about("text"), "it begins like neither"));

  write_png(file("p.png"), picture);
  std::ostringstream whole;
  whole << std::ifstream(file("p.png"), std::ios::binary).rdbuf();
  std::string png = whole.str();
  EXPECT_TRUE(mentions(complaint_about(png.substr(0, png.size() / 2)), "the PNG is cut short"));
  png.replace(45, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(mentions(complaint_about(png), "the PNG is damaged"));
}

TEST_F(PictureFile, LeavesNoPartialFileWhereItCannotWrite) {
  EXPECT_TRUE(mentions(complaint([&] { write_png(file("no/such/p.png"), sample(2, 2, 3)); }), "p.png"));
  EXPECT_EQ(n_files(), 0);
}

TEST(PictureFit, OrdersChannelsAsPlanes) {
  const Picture picture{.h = 1, .w = 2, .c = 3, .pixels = {1, 2, 3, 4, 5, 6}};
  const HostTensor rgb = fit(picture, {.c = 3, .h = 1, .w = 2});
  EXPECT_EQ(rgb.type, ElementType::u8);
  EXPECT_EQ(rgb.shape, (Shape{1, 3, 1, 2}));
  EXPECT_EQ(values_of(rgb), (std::vector<int>{1, 4, 2, 5, 3, 6}));
  const HostTensor bgr = fit(picture, {.c = 3, .h = 1, .w = 2, .channels = ChannelOrder::bgr});
  EXPECT_EQ(values_of(bgr), (std::vector<int>{3, 6, 2, 5, 1, 4}));
}

TEST(PictureFit, TurnsColoursToGreyAndBack) {
  const Picture colour{.h = 1, .w = 4, .c = 3, .pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90}};
  EXPECT_EQ(values_of(fit(colour, {.c = 1, .h = 1, .w = 4})), (std::vector<int>{76, 150, 29, 90}));
  const Picture grey{.h = 1, .w = 2, .c = 1, .pixels = {7, 9}};
  EXPECT_EQ(values_of(fit(grey, {.c = 3, .h = 1, .w = 2})), (std::vector<int>{7, 9, 7, 9, 7, 9}));
}

// OpenCV's resize with INTER_LINEAR: centres of pixels lie at half numbers, the border repeats.
TEST(PictureFit, InterpolatesBetweenCentresOfPixels) {
  const Picture row{.h = 1, .w = 2, .c = 1, .pixels = {0, 100}};
  EXPECT_EQ(values_of(fit(row, {.c = 1, .h = 1, .w = 4})), (std::vector<int>{0, 25, 75, 100}));
  const Picture square{.h = 2, .w = 2, .c = 1, .pixels = {0, 80, 160, 240}};
  EXPECT_EQ(values_of(fit(square, {.c = 1, .h = 4, .w = 4})),
            (std::vector<int>{0, 20, 60, 80, 40, 60, 100, 120, 120, 140, 180, 200, 160, 180, 220, 240}));
  const Picture four{.h = 1, .w = 4, .c = 1, .pixels = {10, 20, 30, 50}};
  EXPECT_EQ(values_of(fit(four, {.c = 1, .h = 1, .w = 2})), (std::vector<int>{15, 40}));
  // Four times smaller still reads two pixels only.
  const Picture eight{.h = 1, .w = 8, .c = 1, .pixels = {9, 10, 20, 9, 9, 30, 50, 9}};
  EXPECT_EQ(values_of(fit(eight, {.c = 1, .h = 1, .w = 2})), (std::vector<int>{15, 40}));
}

TEST(PictureFit, KeepsProportionsInALetterbox) {
  const Picture wide{.h = 10, .w = 20, .c = 3, .pixels = std::vector<unsigned char>(600, 200)};
  const HostTensor tensor = fit(wide, {.c = 3, .h = 41, .w = 40, .resize = Resize::letterbox});
  const std::vector<int> values = values_of(tensor);
  ASSERT_EQ(values.size(), 3U * 41U * 40U);
  // 20 of 41 rows: 10 of grey 114 above, 11 below.
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t y = 0; y < 41; ++y)
      EXPECT_EQ(values[(c * 41 + y) * 40 + 20], y >= 10 && y < 30 ? 200 : 114) << "row " << y;
}

TEST(PictureFit, CentresHighPicturesAndKeepsAPixelOfThinOnes) {
  const Picture high{.h = 30, .w = 10, .c = 1, .pixels = std::vector<unsigned char>(300, 9)};
  const std::vector<int> values = values_of(fit(high, {.c = 1, .h = 6, .w = 6, .resize = Resize::letterbox}));
  for (std::size_t i = 0; i < 36; ++i) EXPECT_EQ(values[i], i % 6 == 2 || i % 6 == 3 ? 9 : 114) << i;
  const Picture line{.h = 1, .w = 1000, .c = 1, .pixels = std::vector<unsigned char>(1000, 50)};
  const std::vector<int> thin = values_of(fit(line, {.c = 1, .h = 3, .w = 3, .resize = Resize::letterbox}));
  EXPECT_EQ(thin, (std::vector<int>{114, 114, 114, 50, 50, 50, 114, 114, 114}));
}

TEST(PictureOfTensor, StretchesValuesThatAreNoPixels) {
  const auto picture = to_picture(floats({1, 1, 1, 3}, {-1, 0, 1}));
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->c, 1);
  EXPECT_EQ(picture->pixels, (std::vector<unsigned char>{0, 128, 255}));
}

TEST(PictureOfTensor, KeepsPixels) {
  EXPECT_EQ(to_picture(floats({2, 2}, {3, 50.4F, 99.6F, 200}))->pixels, (std::vector<unsigned char>{3, 50, 100, 200}));
  HostTensor bytes{.type = ElementType::u8, .shape = {1, 2}, .data = Blob::allocate(2)};
  bytes.data.data()[0] = std::byte{4};
  bytes.data.data()[1] = std::byte{9};
  EXPECT_EQ(to_picture(bytes)->pixels, (std::vector<unsigned char>{4, 9}));
}

TEST(PictureOfTensor, FindsChannelsFirstOrLast) {
  const std::vector<float> values{10, 20, 30, 40, 50, 60};
  const auto planes = to_picture(floats({1, 3, 1, 2}, values));
  EXPECT_EQ(planes->pixels, (std::vector<unsigned char>{10, 30, 50, 20, 40, 60}));
  const auto pixels = to_picture(floats({1, 1, 2, 3}, values));  // one plane of 2x3
  EXPECT_EQ(pixels->c, 1);
  const auto last = to_picture(floats({1, 2, 1, 3}, values));
  EXPECT_EQ(last->c, 3);
  EXPECT_EQ(last->pixels, (std::vector<unsigned char>{10, 20, 30, 40, 50, 60}));
}

TEST(PictureOfTensor, PaintsWhatIsNoNumberBlack) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  constexpr float most = std::numeric_limits<float>::max();
  const auto picture = to_picture(floats({1, 5}, {std::numeric_limits<float>::quiet_NaN(), -inf, -4, 4, inf}));
  EXPECT_EQ(picture->pixels, (std::vector<unsigned char>{0, 0, 0, 255, 255}));
  EXPECT_EQ(to_picture(floats({1, 3}, {-most, 0, most}))->pixels, (std::vector<unsigned char>{0, 128, 255}));
  EXPECT_EQ(to_picture(floats({1, 2}, {inf, inf}))->pixels.size(), 2U);
}

TEST(PictureOfTensor, RefusesOtherShapes) {
  EXPECT_FALSE(to_picture(floats({2}, {1, 2})));
  EXPECT_FALSE(to_picture(floats({1, 2, 1, 2}, {1, 2, 3, 4})));
  EXPECT_FALSE(to_picture(floats({2, 3, 1, 1}, {1, 2, 3, 4, 5, 6})));
  EXPECT_FALSE(to_picture(floats({1, 3, 0, 4}, {})));
}

}  // namespace
}  // namespace strake::io
