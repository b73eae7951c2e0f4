#include "enhance/transfer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "enhance/block_rows.h"
#include "motion/row_filters.h"
#include "motion/sample_row.h"

namespace millstream {
namespace {

// Pointers and sizes of one frame.
struct Job {
    Job(const TransferInputs& inputs, const ReuseSettings& chosen, at::Tensor& picture)
        : plan(inputs.plan),
          settings(chosen),
          results(inputs.results),
          added(inputs.plan.added.defined() ? inputs.plan.added.const_data_ptr<float>() : nullptr),
          last(inputs.last.const_data_ptr<float>()),
          flow(inputs.plan.flow.defined() ? inputs.plan.flow.const_data_ptr<float>() : nullptr),
          output(picture.mutable_data_ptr<float>()),
          height(inputs.input.size(1)),
          width(inputs.input.size(2)),
          scale(picture.size(2) / inputs.input.size(2)),
          frame{static_cast<int>(width), static_cast<int>(height)} {}

    const ReusePlan& plan;
    const ReuseSettings& settings;
    const std::vector<at::Tensor>& results;
    const float* added;   // nothing with ReuseSettings::exact
    const float* last;
    const float* flow;
    float* output;
    std::int64_t height;
    std::int64_t width;
    std::int64_t scale;
    Size frame;

    [[nodiscard]] std::int64_t out_width() const { return width * scale; }
    [[nodiscard]] std::int64_t out_plane() const { return width * height * scale * scale; }
    [[nodiscard]] float* out_row(std::int64_t channel, std::int64_t y) const {
        return output + channel * out_plane() + y * out_width();
    }
};

// How much a computed area counts `distance` output pixels outside what it is for; falls over the fade.
float falling(double distance, double fade) {
    return static_cast<float>(std::clamp(1 - distance / (fade + 1e-9), 0.0, 1.0));
}

// One row of blocks; each thread has its own.
class BlockRow {
public:
    BlockRow(const Job& job, int row)
        : job_(job),
          row_(row),
          top_(std::int64_t{row} * kBlock),
          bottom_(std::min(top_ + kBlock, job.height)),
          moved_(static_cast<std::size_t>(job.out_width()), 0.0F),
          flow_x_(moved_.size()),
          flow_y_(moved_.size()),
          work_(static_cast<std::size_t>(job.width) + 4) {
        find_moved();
        if (!job_.settings.exact) {
            find_differences();
        }
    }

    void run() {
        for (std::int64_t y = top_ * job_.scale; y < bottom_ * job_.scale; ++y) {
            carry_on(y);
            mix_fades(y);
            copy_areas(y);
        }
    }

private:
    void find_moved() {
        for (int column = 0; column < job_.plan.source.columns && job_.flow != nullptr; ++column) {
            if (job_.plan.source.at(column, row_) == BlockSource::moved) {
                any_moved_ = true;
                const std::int64_t left = std::int64_t{column} * kBlock * job_.scale;
                const std::int64_t right = std::min(left + kBlock * job_.scale, job_.out_width());
                std::fill(moved_.begin() + left, moved_.begin() + right, 1.0F);
            }
        }
    }

    // What is added, from two rows above to two rows below; the outermost rows stand for those outside.
    void find_differences() {
        const auto rows = static_cast<std::size_t>(bottom_ - top_ + 4);
        differences_.resize(3 * rows * static_cast<std::size_t>(job_.width));
        float* to = differences_.data();
        for (std::int64_t channel = 0; channel < 3; ++channel) {
            for (std::int64_t y = top_ - 2; y < bottom_ + 2; ++y) {
                const std::int64_t at =
                    (channel * job_.height + std::clamp<std::int64_t>(y, 0, job_.height - 1)) * job_.width;
                to = std::copy_n(job_.added + at, job_.width, to);
            }
        }
    }
    [[nodiscard]] const float* difference(std::int64_t channel, std::int64_t y) const {
        return differences_.data() + (channel * (bottom_ - top_ + 4) + (y - top_ + 2)) * job_.width;
    }

    void carry_on(std::int64_t y) {
        for (std::int64_t c = 0; c < 3; ++c) {
            std::copy_n(job_.last + c * job_.out_plane() + y * job_.out_width(), job_.out_width(), job_.out_row(c, y));
        }
        if (any_moved_) {
            const BetweenRows rows = between_rows(y, job_.scale, job_.height);
            const auto enlarge = [&](const float* plane, float* to) {
                enlarge_row(plane + rows.upper * job_.width, plane + rows.lower * job_.width, rows.down, job_.width,
                            job_.scale, work_.data(), to);
            };
            enlarge(job_.flow, flow_x_.data());
            enlarge(job_.flow + job_.width * job_.height, flow_y_.data());
            float* const to[3] = {job_.out_row(0, y), job_.out_row(1, y), job_.out_row(2, y)};
            sample_row({job_.last, job_.height * job_.scale, job_.out_width()}, y, static_cast<float>(job_.scale),
                       flow_x_.data(), flow_y_.data(), moved_.data(), to);
        }
        if (!job_.settings.exact) {
            add_differences(y);
        }
    }

    void add_differences(std::int64_t y) {
        const double place = (static_cast<double>(y) + 0.5) / static_cast<double>(job_.scale) - 0.5;
        const auto upper = static_cast<std::int64_t>(std::floor(place));
        const auto down = static_cast<float>(place - static_cast<double>(upper));
        for (std::int64_t c = 0; c < 3; ++c) {
            const float* const from[4] = {difference(c, upper - 1), difference(c, upper), difference(c, upper + 1),
                                          difference(c, upper + 2)};
            blocks::add_enlarged_row(from, down, job_.width, job_.scale, work_.data(), job_.out_row(c, y));
        }
    }

    // In output pixels.
    [[nodiscard]] Rectangle scaled(const Rectangle& pixels) const { return enlarged(pixels, job_.scale); }
    [[nodiscard]] const float* result_row(std::size_t i, const Rectangle& read, std::int64_t channel,
                                          std::int64_t y) const {
        return job_.results[i].const_data_ptr<float>() + (channel * read.height() + y - read.top) * read.width();
    }

    void mix_fades(std::int64_t y) {
        if (job_.settings.fade == 0) {
            return;
        }
        const double fade = static_cast<double>(job_.settings.fade) * static_cast<double>(job_.scale);
        for (std::size_t i = 0; i < job_.plan.areas.size(); ++i) {
            const Rectangle kept = scaled(in_pixels(job_.plan.areas[i], job_.frame, 0));
            const Rectangle wide = scaled(in_pixels(job_.plan.areas[i], job_.frame, job_.settings.fade));
            if (y < wide.top || y >= wide.bottom) {
                continue;
            }
            const Rectangle read = scaled(in_pixels(job_.plan.areas[i], job_.frame, job_.settings.halo));
            const double below =
                std::max({static_cast<double>(kept.top - y), static_cast<double>(y - kept.bottom + 1), 0.0});
            const float down = falling(below > 0 ? below - 0.5 : 0, fade);
            for (int x = wide.left; x < wide.right; ++x) {
                const int outside = std::max({kept.left - x, x - kept.right + 1, 0});
                const float weight = down * (outside > 0 ? falling(outside - 0.5, fade) : 1.0F);
                for (std::int64_t c = 0; c < 3; ++c) {
                    float& pixel = job_.out_row(c, y)[x];
                    pixel += weight * (result_row(i, read, c, y)[x - read.left] - pixel);
                }
            }
        }
    }

    void copy_areas(std::int64_t y) {
        for (std::size_t i = 0; i < job_.plan.areas.size(); ++i) {
            const Rectangle kept = scaled(in_pixels(job_.plan.areas[i], job_.frame, 0));
            if (y < kept.top || y >= kept.bottom) {
                continue;
            }
            const Rectangle read = scaled(in_pixels(job_.plan.areas[i], job_.frame, job_.settings.halo));
            for (std::int64_t c = 0; c < 3; ++c) {
                std::copy_n(result_row(i, read, c, y) + kept.left - read.left, kept.width(),
                            job_.out_row(c, y) + kept.left);
            }
        }
    }

    const Job& job_;
    int row_;
    std::int64_t top_;   // input rows
    std::int64_t bottom_;
    bool any_moved_ = false;
    std::vector<float> moved_;   // an output pixel: 1 where its block moved
    std::vector<float> flow_x_;
    std::vector<float> flow_y_;
    std::vector<float> work_;
    std::vector<float> differences_;
};

}   // namespace

void put_together(const TransferInputs& inputs, const ReuseSettings& settings, at::Tensor& output) {
    const Job job(inputs, settings, output);
    at::parallel_for(0, job.plan.source.rows, 1, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t row = first; row < end; ++row) {
            BlockRow(job, static_cast<int>(row)).run();
        }
    });
}

double check_error(const ReusePlan& plan, const ReuseSettings& settings, const at::Tensor& output,
                   const at::Tensor& result) {
    const Size frame{static_cast<int>(plan.added.size(2)), static_cast<int>(plan.added.size(1))};
    const int scale = static_cast<int>(output.size(2)) / frame.width;
    const Rectangle read = in_pixels(*plan.check, frame, settings.halo);
    double sum = 0;
    std::int64_t count = 0;
    const auto* mine = output.const_data_ptr<float>();
    const auto* theirs = result.const_data_ptr<float>();
    for (int row = plan.check->top; row < plan.check->bottom; ++row) {
        for (int column = plan.check->left; column < plan.check->right; ++column) {
            if (plan.source.at(column, row) == BlockSource::computed) {
                continue;
            }
            const Rectangle block = in_pixels({column, row, column + 1, row + 1}, frame, 0);
            for (std::int64_t c = 0; c < 3; ++c) {
                for (std::int64_t y = std::int64_t{block.top} * scale; y < std::int64_t{block.bottom} * scale; ++y) {
                    const float* const a = mine + (c * output.size(1) + y) * output.size(2);
                    const float* const b = theirs +
                                           (c * result.size(1) + y - std::int64_t{read.top} * scale) * result.size(2) -
                                           std::int64_t{read.left} * scale;
                    for (std::int64_t x = std::int64_t{block.left} * scale; x < std::int64_t{block.right} * scale;
                         ++x) {
                        sum += static_cast<double>((a[x] - b[x]) * (a[x] - b[x]));
                    }
                }
            }
            count += 3 * block.area() * scale * scale;
        }
    }
    return count > 0 ? 255 * std::sqrt(sum / static_cast<double>(count)) : 0;
}

}   // namespace millstream
