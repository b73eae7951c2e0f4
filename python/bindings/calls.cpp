#include "calls.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <stop_token>

#include "config/option_table.h"
#include "filter.h"
#include "millstream/batch.h"
#include "millstream/error.h"
#include "millstream/job.h"
#include "millstream/verify.h"

namespace nb = nanobind;

namespace millstream::python {
namespace {

const char* word(Severity severity) {
    switch (severity) {
        case Severity::debug:
            return "debug";
        case Severity::info:
            return "info";
        case Severity::warning:
            return "warning";
        case Severity::error:
            return "error";
    }
    return "error";
}

nb::dict facts_of(const Progress& progress) {
    nb::dict facts;
    facts["frames_done"] = progress.frames_done;
    facts["frames_total"] = progress.frames_total;
    facts["fraction"] = progress.fraction;
    facts["fps"] = progress.fps;
    facts["elapsed_s"] = progress.elapsed_s;
    facts["eta_s"] = progress.eta_s;
    facts["rss_bytes"] = progress.rss_bytes;
    facts["output_bytes"] = progress.output_bytes;
    return facts;
}

// Thrown through the library when Python has asked twice to stop.
struct Abandoned {};

// Hands on what happens to Python, and asks it for signals. Lives on the calling thread, which has let go of the
// interpreter lock.
class PythonObserver : public BatchObserver {
public:
    PythonObserver(const Callbacks& callbacks, std::stop_source& stop) : callbacks_(callbacks), stop_(stop) {}

    void on_plan(const Plan& plan) override {
        guarded([&] {
            if (!callbacks_.plan.is_none()) {
                callbacks_.plan(to_json(plan));
            }
        });
    }
    void on_begin(std::size_t number, std::size_t count, const BatchItem& item) override {
        guarded([&] {
            if (!callbacks_.begin.is_none()) {
                callbacks_.begin(number, count, item.input.string(), item.output.string());
            }
        });
    }
    void on_progress(const Progress& progress) override {
        guarded([&] {
            if (!callbacks_.progress.is_none() && !failure_) {
                callbacks_.progress(facts_of(progress));
            }
        });
    }
    void on_message(Severity severity, const std::string& text) override {
        guarded([&] {
            if (!callbacks_.message.is_none()) {
                callbacks_.message(word(severity), text);
            }
        });
    }

    // What Python raised on another thread; the interpreter lock is held. Ends the job.
    [[noreturn]] void abandon(nb::python_error& raised) {
        if (!failure_) {
            failure_.emplace(std::move(raised));
        }
        throw Abandoned();
    }

    // What Python raised meanwhile, once the library has ended. The interpreter lock is held.
    void rethrow() {
        if (failure_) {
            nb::python_error failure = *std::move(failure_);
            failure_.reset();
            throw failure;
        }
    }

private:
    template <class Call>
    void guarded(Call call) {
        const nb::gil_scoped_acquire lock;
        try {
            call();
            if (PyErr_CheckSignals() != 0) {
                throw nb::python_error();
            }
        } catch (nb::python_error& raised) {
            if (failure_) {
                throw Abandoned();
            }
            failure_.emplace(std::move(raised));
            stop_.request_stop();
        }
    }

    const Callbacks& callbacks_;
    std::stop_source& stop_;
    std::optional<nb::python_error> failure_;
};

// A filter whose exceptions wait with the observer until the job has ended.
class WatchedFilter : public PythonFilter {
public:
    WatchedFilter(const Callbacks& callbacks, PythonObserver& observer)
        : PythonFilter(callbacks.filter, callbacks.filter_batch, callbacks.filter_torch), observer_(observer) {}
    void process(FilterBatch& batch) override {
        try {
            PythonFilter::process(batch);
        } catch (nb::python_error& raised) {
            const nb::gil_scoped_acquire lock;
            observer_.abandon(raised);
        }
    }

private:
    PythonObserver& observer_;
};

// Runs `work(observer, token)` without the interpreter lock; what Python raised meanwhile goes before any other
// failure.
template <class Work>
auto watched(const Callbacks& callbacks, Work work) {
    std::stop_source stop;
    PythonObserver observer(callbacks, stop);
    try {
        auto result = [&] {
            const nb::gil_scoped_release released;
            return work(observer, stop.get_token());
        }();
        observer.rethrow();
        return result;
    } catch (const Abandoned&) {
        observer.rethrow();
        throw;
    } catch (const Error&) {
        observer.rethrow();
        throw;
    }
}

// Lets go of a filter with the interpreter lock held.
struct ReleaseFilter {
    explicit ReleaseFilter(std::optional<WatchedFilter>& owned) : filter(owned) {}
    ReleaseFilter(const ReleaseFilter&) = delete;
    ReleaseFilter& operator=(const ReleaseFilter&) = delete;
    ~ReleaseFilter() {
        const nb::gil_scoped_acquire lock;
        filter.reset();
    }
    std::optional<WatchedFilter>& filter;
};

template <class T>
void take(const nb::dict& options, const char* name, T& value) {
    if (!options.contains(name)) {
        return;
    }
    try {
        value = nb::cast<T>(options[name]);
    } catch (const nb::cast_error&) {
        throw Error(ErrorKind::usage,
                    {"reading the options", std::string(name) + " = " + nb::repr(options[name]).c_str(),
                     "the value is of another type", "help(millstream.verify) names the types"});
    }
}

}   // namespace

Options make_options(const std::string& input, const std::string& output, const Settings& settings) {
    Options options;
    options.input = input;
    options.output = output;
    for (const auto& [name, text] : settings) {
        set_option(options, name, text);
    }
    return options;
}

std::string plan_call(const std::string& input, const std::string& output, const Settings& settings) {
    const Options options = make_options(input, output, settings);
    const nb::gil_scoped_release released;
    return to_json(make_plan(options));
}

std::string enhance_call(const std::string& input, const std::string& output, const Settings& settings,
                         const Callbacks& callbacks) {
    const Options options = make_options(input, output, settings);
    return watched(callbacks, [&](PythonObserver& observer, std::stop_token stop) {
        if (callbacks.filter.is_none()) {
            return to_json(enhance(options, &observer, std::move(stop)));
        }
        std::optional<WatchedFilter> filter;
        {
            const nb::gil_scoped_acquire lock;
            filter.emplace(callbacks, observer);
        }
        const ReleaseFilter release(filter);
        return to_json(enhance(options, *filter, &observer, std::move(stop)));
    });
}

std::string enhance_all_call(const std::vector<std::string>& inputs, const std::string& folder,
                             const Settings& settings, bool fail_fast, const Callbacks& callbacks) {
    const BatchOptions batch{.inputs = {inputs.begin(), inputs.end()},
                             .folder = folder,
                             .each = make_options({}, {}, settings),
                             .fail_fast = fail_fast};
    return watched(callbacks, [&](PythonObserver& observer, std::stop_token stop) {
        return to_json(enhance_all(batch, &observer, std::move(stop)));
    });
}

std::string verify_call(const std::string& input, const std::string& output, const nb::dict& given,
                        const Callbacks& callbacks) {
    VerifyOptions options;
    options.input = input;
    options.output = output;
    take(given, "video_stream", options.video_stream);
    take(given, "audio", options.audio);
    take(given, "left_out", options.left_out);
    take(given, "convert_subtitles", options.convert_subtitles);
    take(given, "turned", options.turned);
    take(given, "fields_kept", options.fields_kept);
    take(given, "pixel_format", options.pixel_format);
    take(given, "time_tolerance_s", options.time_tolerance_s);
    take(given, "psnr_margin_db", options.psnr_margin_db);
    take(given, "frame_drop_db", options.frame_drop_db);
    take(given, "level_tolerance", options.level_tolerance);
    take(given, "threads", options.threads);
    return watched(callbacks, [&](Observer& observer, std::stop_token stop) {
        return to_json(verify(options, &observer, std::move(stop)));
    });
}

}   // namespace millstream::python
