#include "resource/monitor.h"

#include <algorithm>
#include <string>
#include <utility>

namespace millstream {

ResourceMonitor::ResourceMonitor(const Settings& settings, Figures figures, const std::atomic<std::int64_t>& frames,
                                 Notices& notices)
    : settings_(settings),
      figures_(std::move(figures)),
      frames_(frames),
      notices_(notices),
      memory_(settings.thresholds),
      vram_(settings.thresholds),
      last_point_frames_(frames.load()) {}

void ResourceMonitor::sample() {
    ResourceSnapshot figures = figures_();
    judge(figures);
    remember(figures);
    latest_.set(figures);
}

void ResourceMonitor::judge(ResourceSnapshot& figures) {
    const Use memory = memory_use(figures, settings_.planned, settings_.thresholds);
    update(memory_, memory, "memory");
    if (const std::optional<Use> vram = vram_use(figures, settings_.planned, settings_.thresholds)) {
        update(vram_, *vram, "VRAM");
    }
    figures.memory_level = memory_.level();
    figures.vram_level = vram_.level();
    level_.store(std::max(memory_.level(), vram_.level()), std::memory_order_relaxed);
}

void ResourceMonitor::update(LevelSwitch& level, const Use& use, const std::string& what) {
    const PressureLevel before = level.level();
    if (!level.update(use.share)) {
        return;
    }
    if (level.level() < before) {
        const bool normal = level.level() == PressureLevel::normal;
        notices_.post(Severity::info, what + (normal ? " is no longer short: " : " is less short: ") + use.words);
    } else if (level.level() == PressureLevel::elevated) {
        notices_.post(Severity::warning, what + " is getting short, caches are given back: " + use.words);
    } else {
        notices_.post(Severity::warning, what + " is short, less is done at a time: " + use.words);
    }
}

void ResourceMonitor::remember(const ResourceSnapshot& figures) {
    ++samples_;
    rss_sum_ += static_cast<double>(figures.rss_bytes);
    gathering_.rss_bytes = std::max(gathering_.rss_bytes, figures.rss_bytes);
    gathering_.rss_min_bytes =
        gathering_.rss_min_bytes == 0 ? figures.rss_bytes : std::min(gathering_.rss_min_bytes, figures.rss_bytes);
    if (figures.vram_bytes) {
        gathering_.vram_min_bytes =
            std::min(gathering_.vram_min_bytes.value_or(*figures.vram_bytes), *figures.vram_bytes);
        vram_sum_ += static_cast<double>(*figures.vram_bytes);
        gathering_.vram_bytes = std::max(gathering_.vram_bytes.value_or(0), *figures.vram_bytes);
        peak_vram_ = std::max(peak_vram_.value_or(0), *figures.vram_bytes);
    }
    gathering_.cpu_cores += figures.cpu_cores / static_cast<double>(samples_a_point_);
    if (samples_ % samples_a_point_ != 0) {
        return;
    }
    CurvePoint point = std::exchange(gathering_, {});
    point.time_s = figures.time_s;
    point.frames = frames_.load();
    const double elapsed = point.time_s - last_point_s_;
    point.fps = elapsed > 0 ? static_cast<double>(point.frames - last_point_frames_) / elapsed : 0;
    last_point_s_ = point.time_s;
    last_point_frames_ = point.frames;
    curve_.push_back(point);
    if (curve_.size() < kMostPoints) {
        return;
    }
    for (std::size_t i = 0; i + 1 < curve_.size(); i += 2) {   // two points become one
        CurvePoint joined = curve_[i + 1];
        joined.rss_bytes = std::max(joined.rss_bytes, curve_[i].rss_bytes);
        joined.rss_min_bytes = std::min(joined.rss_min_bytes, curve_[i].rss_min_bytes);
        joined.vram_bytes = std::max(joined.vram_bytes, curve_[i].vram_bytes);
        joined.vram_min_bytes = std::min(joined.vram_min_bytes, curve_[i].vram_min_bytes);
        joined.cpu_cores = (joined.cpu_cores + curve_[i].cpu_cores) / 2;
        const double since = i == 0 ? 0 : curve_[i / 2 - 1].time_s;
        const std::int64_t frames_since = i == 0 ? 0 : curve_[i / 2 - 1].frames;
        const double span = joined.time_s - since;
        joined.fps = span > 0 ? static_cast<double>(joined.frames - frames_since) / span : 0;
        curve_[i / 2] = joined;
    }
    curve_.resize(curve_.size() / 2);
    samples_a_point_ *= 2;
}

std::uint64_t ResourceMonitor::mean_rss() const {
    return samples_ == 0 ? 0 : static_cast<std::uint64_t>(rss_sum_ / static_cast<double>(samples_));
}

std::optional<std::uint64_t> ResourceMonitor::mean_vram() const {
    return peak_vram_ ? std::optional(static_cast<std::uint64_t>(vram_sum_ / static_cast<double>(samples_)))
                      : std::nullopt;
}

Sampler::Sampler(ResourceMonitor& monitor, std::chrono::milliseconds interval)
    : monitor_(monitor), thread_("sampler", [this, interval] { work(interval); }) {}

Sampler::~Sampler() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
}

void Sampler::work(std::chrono::milliseconds interval) {
    std::unique_lock lock(mutex_);
    bool last = false;
    do {
        last = ended_;
        lock.unlock();
        try {
            monitor_.sample();
        } catch (...) {   // NOLINT(bugprone-empty-catch): a figure that cannot be had is no reason to end a run
        }
        lock.lock();
        if (!last) {
            changed_.wait_for(lock, interval, [this] { return ended_; });
        }
    } while (!last);
}

}   // namespace millstream
