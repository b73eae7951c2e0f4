// Small files that are there as a whole or not at all, and the page that reports are put into.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace millstream {

/// Written beside it, synced, renamed. Throws Error(resource) and leaves `path` as it was.
void write_whole_file(const std::filesystem::path& path, std::string_view text);

/// report_page.html, with "/*REPORT*/null" where the report's JSON belongs.
std::string report_page_template();

}   // namespace millstream
