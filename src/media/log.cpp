#include "media/log.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
}

#include <array>
#include <cstdarg>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "media/probe.h"

namespace millstream {
namespace {

constexpr std::size_t kMaxLines = 8;

thread_local LogCapture* innermost = nullptr;

// Counters by their owners. Others in the process may have decoders whose opaque pointer means something else.
struct Counters {
    std::mutex mutex;
    std::map<const void*, std::atomic<std::int64_t>*> by_owner;   // protected by mutex
};

Counters& counters() {
    static Counters all;
    return all;
}

// Note [Concealment]
void count_concealment(void* object, std::string_view format) {
    if (object == nullptr || !format.starts_with("concealing ") ||
        *static_cast<const AVClass* const*>(object) != avcodec_get_class()) {
        return;
    }
    Counters& all = counters();
    const std::lock_guard lock(all.mutex);
    if (const auto found = all.by_owner.find(static_cast<AVCodecContext*>(object)->opaque);
        found != all.by_owner.end()) {
        ++*found->second;
    }
}

// Called by FFmpeg on any of its threads.
void receive(void* object, int level, const char* format, va_list arguments) {
    count_concealment(object, format);
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

ConcealmentCounter::ConcealmentCounter(const void* owner) : owner_(owner) {
    quiet_ffmpeg();
    const std::lock_guard lock(counters().mutex);
    counters().by_owner[owner] = &count_;
}

ConcealmentCounter::~ConcealmentCounter() {
    const std::lock_guard lock(counters().mutex);
    counters().by_owner.erase(owner_);
}

}   // namespace millstream
