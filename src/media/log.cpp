#include "media/log.h"

extern "C" {
#include <libavutil/log.h>
}

#include <array>
#include <cstdarg>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "media/probe.h"

namespace millstream {
namespace {

constexpr std::size_t kMaxLines = 8;

thread_local LogCapture* innermost = nullptr;

// Called by FFmpeg on any of its threads.
void receive(void* object, int level, const char* format, va_list arguments) {
    LogCapture* capture = innermost;
    if (capture == nullptr || level > AV_LOG_WARNING) {
        return;
    }
    std::array<char, 512> line{};
    int print_prefix = 0;   // no "[libx264 @ 0x...]"
    av_log_format_line2(object, level, format, arguments, line.data(), static_cast<int>(line.size()), &print_prefix);
    std::string text(line.data());
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    if (!text.empty()) {
        capture->add(std::move(text));
    }
}

}   // namespace

void quiet_ffmpeg() {
    static std::once_flag once;
    std::call_once(once, [] {
        av_log_set_level(AV_LOG_WARNING);
        av_log_set_callback(receive);
        // SVT-AV1 prints by itself; it reads this once, when it is first used. 0 = fatal errors only.
        setenv("SVT_LOG", "0", 0);
    });
}

LogCapture::LogCapture() : outer_(innermost) {
    quiet_ffmpeg();
    innermost = this;
}

LogCapture::~LogCapture() {
    innermost = outer_;
}

std::string LogCapture::text() const {
    std::string all;
    for (const std::string& line : lines_) {
        all += (all.empty() ? "" : " / ") + line;
    }
    return all;
}

void LogCapture::add(std::string line) {
    if (lines_.size() < kMaxLines && (lines_.empty() || lines_.back() != line)) {
        lines_.push_back(std::move(line));
    }
}

}   // namespace millstream
