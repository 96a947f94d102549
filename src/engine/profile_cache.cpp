// SPDX-License-Identifier: Apache-2.0
#include "engine/profile_cache.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <system_error>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "partition/plan_json.hpp"

namespace strake::engine {

namespace {

namespace fs = std::filesystem;

std::optional<fs::path> cache_directory() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0') return fs::path(xdg) / "strake";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".cache" / "strake";
  return std::nullopt;
}

// The name only has to be short; the key stands in the file and is compared there.
std::optional<fs::path> file_for(const ProfileKey& key) {
  const std::optional<fs::path> directory = cache_directory();
  if (!directory) return std::nullopt;
  std::ostringstream name;
  name << std::hex << std::hash<std::string>{}(key) << ".profile";
  return *directory / name.str();
}

}  // namespace

std::optional<RankProfile> load_profile(const ProfileKey& key) {
  const std::optional<fs::path> file = file_for(key);
  if (!file) return std::nullopt;
  std::ifstream stream(*file);
  std::string stored_key;
  if (!std::getline(stream, stored_key) || stored_key != key) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  try {
    Profile profile = partition::profile_from_json(text.str(), file->string());
    if (profile.ranks.size() != 1) return std::nullopt;
    return std::move(profile.ranks.front());
  } catch (const InvalidInput& error) {
    log(LogLevel::warning, std::string("measuring again, the stored profile is unusable: ") + error.what());
    return std::nullopt;
  }
}

void store_profile(const ProfileKey& key, const RankProfile& profile) {
  const std::optional<fs::path> file = file_for(key);
  if (!file) return;
  std::error_code error;
  fs::create_directories(file->parent_path(), error);
  const fs::path partial = file->string() + "." + std::to_string(getpid());
  const Profile single{.model = {}, .axis = {}, .ranks = {profile}, .links = {{Link{}}}};
  std::ofstream stream(partial);
  stream << key << '\n' << partition::profile_to_json(single);
  stream.close();
  if (stream) fs::rename(partial, *file, error);
  if (!stream || error) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    log(LogLevel::warning, "the profile could not be kept in " + file->parent_path().string());
  }
}

}  // namespace strake::engine
