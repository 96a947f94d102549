// SPDX-License-Identifier: Apache-2.0
#include "io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <streambuf>
#include <system_error>
#include <utility>

#include "core/errors.hpp"

namespace strake::io {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const char* what, const fs::path& file, int reason) {
  throw InvalidInput(std::string("cannot ") + what + " '" + file.string() + "': " + std::strerror(reason));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { (void)close(); }

  [[nodiscard]] int number() const { return number_; }

  // Network file systems may tell only now that the disk is full.
  [[nodiscard]] bool close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

// Bytes on their way to a descriptor; remembers why the first of them did not arrive.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
    setp(bytes_.data(), bytes_.data() + bytes_.size());
  }

  [[nodiscard]] int failure() const { return failure_; }

 protected:
  int_type overflow(int_type next) override {
    if (sync() != 0) return traits_type::eof();
    if (traits_type::eq_int_type(next, traits_type::eof())) return traits_type::not_eof(next);
    return sputc(traits_type::to_char_type(next));
  }

  std::streamsize xsputn(const char* bytes, std::streamsize n) override {
    if (n <= epptr() - pptr()) return std::streambuf::xsputn(bytes, n);
    return sync() == 0 && send(bytes, static_cast<std::size_t>(n)) ? n : 0;
  }

  int sync() override {
    const bool sent = send(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    return sent ? 0 : -1;
  }

 private:
  bool send(const char* bytes, std::size_t n) {
    while (failure_ == 0 && n > 0) {
      const ssize_t sent = ::write(descriptor_, bytes, n);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) {
        failure_ = errno;
        break;
      }
      bytes += sent;
      n -= static_cast<std::size_t>(sent);
    }
    return failure_ == 0;
  }

  int descriptor_;
  int failure_ = 0;
  std::array<char, 1 << 16> bytes_{};
};

// Files that are open already under these names: a new file in their place would not be what they stand for.
bool names_descriptor(const fs::path& file) {
  const std::string name = file.lexically_normal().string();
  return name.starts_with("/proc/") || name.starts_with("/dev/fd/");
}

// Where writing ends up.
struct Place {
  fs::path file;        // behind all symbolic links
  bool as_it_is;        // no regular file: opened and written, never replaced
  bool exists = false;  // a regular file that is replaced
  mode_t mode = 0;      // its permissions
};

Place place_of(const fs::path& given) {
  Place place{.file = given, .as_it_is = names_descriptor(given)};
  struct stat info {};
  for (int links = 0; !place.as_it_is; ++links) {
    if (lstat(place.file.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) break;
    if (links == 40) refuse("write", given, ELOOP);
    std::error_code error;
    const fs::path target = fs::read_symlink(place.file, error);
    if (error) refuse("write", given, error.value());
    place.file = place.file.parent_path() / target;
    place.as_it_is = names_descriptor(place.file);
  }
  if (stat(given.c_str(), &info) != 0) return place;
  if (S_ISDIR(info.st_mode)) refuse("write", given, EISDIR);
  place.as_it_is = place.as_it_is || !S_ISREG(info.st_mode);
  place.exists = true;
  place.mode = info.st_mode & 07777;
  // Renaming would replace a file that its owner made read-only.
  if (access(given.c_str(), W_OK) != 0) refuse("write", given, errno);
  return place;
}

// Writes all of it to an open file. Gives the reason why not, or 0.
int write_all(Descriptor& file, const std::function<void(std::ostream&)>& write) {
  DescriptorBuffer buffer(file.number());
  std::ostream stream(&buffer);
  write(stream);
  stream.flush();
  if (buffer.failure() != 0) return buffer.failure();
  return file.close() ? 0 : errno;
}

// A file that is to be renamed, and vanishes otherwise.
class PartialFile {
 public:
  explicit PartialFile(const Place& place)
      : path_(place.file.string() + "." + std::to_string(getpid()) + ".partial"),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    if (!renamed_ && opened()) (void)::unlink(path_.c_str());
  }

  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] Descriptor& descriptor() { return descriptor_; }

  [[nodiscard]] bool rename(const Place& place) {
    if (place.exists) (void)::chmod(path_.c_str(), place.mode);
    renamed_ = ::rename(path_.c_str(), place.file.c_str()) == 0;
    return renamed_;
  }

 private:
  std::string path_;
  Descriptor descriptor_;
  bool opened_ = descriptor_.number() >= 0;
  bool renamed_ = false;
};

}  // namespace

void expect_regular_file(const fs::path& file, const std::string& expected) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return;
  throw InvalidInput("'" + file.string() + "' is " + (fs::is_directory(status) ? "a directory" : "no regular file") +
                     ", expected " + expected);
}

std::string read_file(const fs::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.number() < 0) refuse("read", file, errno);
  struct stat info {};
  if (fstat(descriptor.number(), &info) != 0) refuse("read", file, errno);
  if (S_ISDIR(info.st_mode)) throw InvalidInput("'" + file.string() + "' is a directory, expected a file");
  std::string bytes;
  if (S_ISREG(info.st_mode)) bytes.reserve(static_cast<std::size_t>(info.st_size));
  std::array<char, 1 << 16> part{};
  for (;;) {
    const ssize_t n = ::read(descriptor.number(), part.data(), part.size());
    if (n == 0) return bytes;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("read", file, errno);
    bytes.append(part.data(), static_cast<std::size_t>(n));
  }
}

void write_file(const fs::path& file, const std::function<void(std::ostream&)>& write) {
  const Place place = place_of(file);
  if (place.as_it_is) {
    // Appended: what was printed to the same descriptor stays.
    Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (descriptor.number() < 0) refuse("write", file, errno);
    if (const int reason = write_all(descriptor, write); reason != 0) refuse("write", file, reason);
    return;
  }
  PartialFile partial(place);
  if (!partial.opened()) refuse("write", file, errno);
  if (const int reason = write_all(partial.descriptor(), write); reason != 0) refuse("write", file, reason);
  if (!partial.rename(place)) refuse("write", file, errno);
}

void write_file(const fs::path& file, const std::string& bytes) {
  write_file(file,
             [&](std::ostream& stream) { stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); });
}

void check_writable(const fs::path& file) {
  const Place place = place_of(file);
  if (place.as_it_is) {
    if (access(file.c_str(), W_OK) != 0) refuse("write", file, errno);
    return;
  }
  const PartialFile partial(place);
  if (!partial.opened()) refuse("write", file, errno);
}

}  // namespace strake::io
