// SPDX-License-Identifier: Apache-2.0
#include "engine/profile_cache.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <sstream>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "engine/disk_cache.hpp"
#include "partition/cost_model.hpp"
#include "partition/plan_json.hpp"

namespace strake::engine {

namespace fs = std::filesystem;

namespace {

// The name only has to be short; the key stands in the file and is compared there.
std::optional<fs::path> file_for(const std::string& key, const std::string& extension) {
  const std::optional<fs::path> directory = cache_directory();
  if (!directory) return std::nullopt;
  std::ostringstream name;
  name << std::hex << std::hash<std::string>{}(key) << extension;
  return *directory / name.str();
}

// What stands behind the key in its file.
std::optional<std::string> load_text(const fs::path& file, const std::string& key) {
  std::ifstream stream(file);
  std::string stored_key;
  if (!std::getline(stream, stored_key) || stored_key != key) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void store_text(const fs::path& file, const std::string& key, const std::string& text) {
  keep_file(file, {std::as_bytes(std::span(key)), std::as_bytes(std::span("\n", 1)), std::as_bytes(std::span(text))});
}

}  // namespace

std::optional<RankProfile> load_profile(const ProfileKey& key, const Graph& graph) {
  const std::optional<fs::path> file = file_for(key, ".profile");
  if (!file) return std::nullopt;
  const std::optional<std::string> text = load_text(*file, key);
  if (!text) return std::nullopt;
  try {
    Profile profile = partition::profile_from_json(*text, file->string());
    if (profile.ranks.size() != 1) throw InvalidInput(file->string() + ": expected the profile of one rank");
    partition::check_profile(graph, profile);
    return std::move(profile.ranks.front());
  } catch (const InvalidInput& error) {
    log(LogLevel::warning, std::string("measuring again, the stored profile is unusable: ") + error.what());
    return std::nullopt;
  }
}

void store_profile(const ProfileKey& key, const RankProfile& profile) {
  const Profile single{.model = {}, .axis = {}, .ranks = {profile}, .links = {{Link{}}}};
  if (const auto file = file_for(key, ".profile")) store_text(*file, key, partition::profile_to_json(single));
}

std::optional<Families> load_families(const std::string& key, std::size_t n_ops) {
  const std::optional<fs::path> file = file_for(key, ".kernels");
  const std::optional<std::string> text = file ? load_text(*file, key) : std::nullopt;
  if (!text) return std::nullopt;
  Families families;
  std::istringstream words(*text);
  for (std::string word; words >> word;) {
    const auto* known = std::ranges::find(kernels::all_families, word, kernels::family_name);
    if (known == std::end(kernels::all_families)) return std::nullopt;
    families.push_back(*known);
  }
  return families.size() == n_ops ? std::optional(std::move(families)) : std::nullopt;
}

void store_families(const std::string& key, const Families& families) {
  std::string text;
  for (const kernels::Family family : families) text.append(kernels::family_name(family)).append("\n");
  if (const auto file = file_for(key, ".kernels")) store_text(*file, key, text);
}

}  // namespace strake::engine
