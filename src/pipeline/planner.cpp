#include "pipeline/planner.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/cpu.h"
#include "enhance/reuse_enhancer.h"
#include "media/decoder.h"
#include "millstream/error.h"
#include "millstream/observer.h"
#include "pipeline/calibration.h"
#include "pipeline/chunk_plan.h"
#include "pipeline/device_path.h"
#include "pipeline/output_checks.h"
#include "pipeline/output_size.h"
#include "pipeline/plan_words.h"
#include "pipeline/resume.h"
#include "pipeline/stream_plan.h"
#include "pipeline/temporal_stages.h"
#include "resource/memory.h"

namespace millstream {
namespace {

// What the libraries allocate after planning that no other entry names: thread stacks, file buffers, what the allocator
// does not give back. Runs of the identity with every combination of budget and size stay below their plan without any.
constexpr std::uint64_t kRunOverhead = 48 * kMiB;
// The program and the probe of the network take a little more or less from one start to the next: the budget that a
// refusal names must do then, too.
constexpr std::uint64_t kRefusalMargin = 24 * kMiB;
// A probe is worth its time where the job computes at least this many times as much.
constexpr double kProbeWorth = 40;
// A frame, its neighbours, and the pictures made of it.
constexpr std::uint64_t kDeinterlacedPictures = 5;
// One computes while the next is on its way to the device, and the one before on its way back.
constexpr int kRequestsOfDevice = 3;
// Bytes an input pixel: differences, images and flow for the search for motion.
constexpr std::uint64_t kReuseWorkBytes = 64;
// One being filled, two in the queue, one on its way into the encoder.
constexpr int kSurfacesBeforeEncoder = 4;
// The network's smallest useful share when the encoder's settings are chosen: two requests of this tile.
constexpr int kReservedTile = 256;

void check_options(const Options& options) {
    const auto refuse = [](const std::string& what, const std::string& why) {
        throw Error(ErrorKind::usage, {"reading the options", what, why, "See millstream enhance --help"});
    };
    if (options.scale < 1 || options.scale > 4) {
        refuse("--scale " + std::to_string(options.scale), "the scale must be 1, 2, 3 or 4");
    }
    if (options.size && (options.size->width < 16 || options.size->height < 16)) {
        refuse("--size", "width and height must be at least 16 pixels");
    }
    if (options.fit && (options.size || options.fit->width < 16 || options.fit->height < 16)) {
        refuse("--fit", options.size ? "--size already says how large the output is"
                                     : "width and height must be at least 16 pixels");
    }
    if (options.tile && *options.tile != 0 && *options.tile < 32) {
        refuse("--tile " + std::to_string(*options.tile), "a tile must be at least 32 pixels");
    }
    if (options.debug_view != DebugView::none && options.temporal == TemporalPreset::off) {
        refuse("--debug-view", "it shows what --temporal does, which is off");
    }
    if (options.batch < 0 || options.batch > 64) {
        refuse("--batch " + std::to_string(options.batch), "the batch must be 1 to 64, or auto");
    }
}

bool takes_odd_sides(const PixelFormat& format) {
    return format.family != ColourFamily::yuv || (format.chroma_shift_x == 0 && format.chroma_shift_y == 0);
}

class Planner {
public:
    Planner(const Options& options, ModelShelf& models, Observer& observer, std::stop_token stop, bool filtered)
        : models_(models), observer_(observer), stop_(std::move(stop)) {
        job_.plan.options = options;
        job_.filtered = filtered;
        job_.loads_before = model_load_count();
    }

    PreparedJob run() {
        check_options(options());
        check_output_path(options());
        job_.checkpoint = find_checkpoint(options(), job_.filtered);
        job_.plan.container = container_for(options().output);
        job_.source = probe(options().input, options().video_stream, options().bake_rotation);
        look_for_stop();
        choose_deinterlacing();
        look_for_stop();
        choose_crop();
        look_for_stop();
        choose_model();
        look_for_stop();
        plan_streams(job_);
        note_picture(job_);
        choose_output_and_memory();
        for (const std::string& sentence : {words_of_decoding(job_), words_of_encoding(job_)}) {
            if (!sentence.empty()) {
                note(sentence);
            }
        }
        look_for_stop();
        plan_index(job_);
        job_.plan.disk = plan_disk(options(), job_.source, job_.encoder, job_.carried);
        plan_chunks(job_, seconds_per_frame_);
        plan_size(job_);
        if (job_.checkpoint) {
            check_resolved(job_, *job_.checkpoint);
        }
        check_disk(job_.plan.disk, options());
        describe(job_);
        return std::move(job_);
    }

private:
    [[nodiscard]] const Options& options() const { return job_.plan.options; }
    [[nodiscard]] const VideoStreamInfo& video() const { return *job_.source.video().video; }
    [[nodiscard]] Size input_size() const { return {video().width, video().height}; }
    // Each step that takes seconds is followed by this.
    void look_for_stop() const {
        if (stop_.stop_requested()) {
            throw Error(ErrorKind::interrupted,
                        {"stopped on request", "", "while the job was planned: nothing was written", ""});
        }
    }

    void note(std::string sentence) { job_.plan.notes.push_back(std::move(sentence)); }

    void choose_deinterlacing() {
        std::string words;
        job_.deinterlacing = decide_deinterlacing(look_for_interlacing(job_.source), options().deinterlace, words);
        if (job_.deinterlacing.rate == DeinterlacedRate::fields) {
            refuse_verification("a picture of every field");
            use_field_rate(job_.source);
        }
        if (options().deinterlace != Deinterlace::off) {   // made so, or found to be so
            job_.source.streams.at(static_cast<std::size_t>(job_.source.video_stream)).video->field_order =
                FieldOrder::progressive;
        }
        if (!words.empty()) {
            note(std::move(words));
        }
    }

    // `verify` knows the two files and not what was asked for.
    void refuse_verification(const std::string& instead) const {
        if (options().verify) {
            throw Error(ErrorKind::usage,
                        {"reading the options", "--verify",
                         "the output is to hold " + instead + ", which cannot be compared frame by frame",
                         "Leave --verify out"});
        }
    }

    void choose_crop() {
        const Crop& wish = options().crop;
        if (wish.kind == Crop::Kind::off) {
            return;
        }
        const bool found = wish.kind == Crop::Kind::automatic;
        const CropArea area = found ? find_picture(job_.source) : checked_crop(wish, job_.source);
        if (Size{area.width, area.height} == input_size()) {
            note("There are no black bars around the picture to crop.");
            return;
        }
        refuse_verification("a part of the picture");
        job_.crop = area;
        note("The picture is cropped to " + words(Size{area.width, area.height}) + " at " + std::to_string(area.x) +
             "," + std::to_string(area.y) + (found ? ": the rest is black in frames from five places." : "."));
        use_crop(job_.source, area);
    }

    void choose_model() {
        job_.model = models_.take(options().model, options().scale);
        check_alignment(job_.model->network, input_size());
        job_.executor.backend = options().backend;
        job_.executor.precision = options().precision;
        if (job_.checkpoint) {   // what "auto" meant when the job was begun
            job_.executor.precision = precision_called(job_.checkpoint->resolved.precision);
        }
        job_.devices = choose_devices(options().device, options().backend, find_devices(options().device));
        job_.executor.device = words(job_.devices);
        job_.executor.threads = options().threads > 0 ? options().threads : usable_cpus();
        resolve_backend(job_.executor);
        if (job_.executor.precision == Precision::int8) {
            observer_.on_message(Severity::info, "fitting the network to 8-bit integers on pictures of the video");
            note(fit_to_int8(job_, stop_));
        }
        choose_reuse();
        choose_temporal();
        tell_devices();
    }

    // Before anything is allocated there.
    void tell_devices() {
        if (options().max_vram && is_openvino_gpu(device_words(job_.executor.device).front())) {
            note("--max-vram does not bind OpenVINO's memory on " + job_.executor.device +
                 ": nothing there can be told of a limit.");
        }
        if (auto sentence = limit_devices(job_.executor, vram_budget(options(), job_.devices))) {
            note(*std::move(sentence));
        }
    }

    // What the job was begun with stays: what was left out for lack of memory then is left out now.
    void choose_temporal() {
        job_.plan.temporal = options().temporal;
        if (job_.checkpoint && job_.checkpoint->resolved.temporal == words(TemporalPreset::off)) {
            job_.plan.temporal = TemporalPreset::off;
        }
    }

    void choose_reuse() {
        job_.plan.reuse = reuse_pays(job_.model->network) ? options().reuse : Reuse::off;
        if (job_.checkpoint && job_.checkpoint->resolved.reuse == words(Reuse::off)) {   // for lack of memory
            job_.plan.reuse = Reuse::off;
        }
    }

    // The encoder gets what the rest leaves when it is at its smallest; the network and the queues then take what the
    // encoder leaves. A tile of kReservedTile is already efficient, a short lookahead costs size and quality.
    void choose_output_and_memory() {
        MemoryNeeds needs = needs_without_encoder();
        const std::uint64_t rest = reserved(needs);
        const std::uint64_t for_encoder = needs.budget > rest ? needs.budget - rest : 0;
        MemoryChoice smallest;
        auto choice = choose_with_encoder(needs, for_encoder, smallest);
        if (!choice && for_encoder > 0) {   // the rest cannot be as small as that: the encoder at its smallest
            choice = choose_with_encoder(needs, 0, smallest);
        }
        if (!choice) {
            choice = choose_with_less(needs, smallest);
        }
        if (!choice) {
            refuse_memory(needs, smallest);
        }
        for (std::string& sentence : encoder_notes_) {
            note(std::move(sentence));
        }
        job_.memory = *choice;
        job_.executor.requests = choice->requests;
    }

    // In this order: what costs nothing but time to decode, what costs speed, what costs steadiness. A job that was
    // begun goes on as it began.
    std::optional<MemoryChoice> choose_with_less(MemoryNeeds& needs, MemoryChoice& smallest) {
        std::optional<MemoryChoice> choice;
        for (const int threads : {4, 2, 1}) {
            if (!choice && threads < job_.plan.decoder_threads) {
                set_decoder_threads(needs, threads);
                choice = choose_with_encoder(needs, 0, smallest);
            }
        }
        if (!choice && needs.reuse && !job_.checkpoint) {
            needs.reuse = false;
            job_.plan.reuse = Reuse::off;
            choice = choose_with_encoder(needs, 0, smallest);
            note("There is not enough memory to keep what could be reused: --reuse is off.");
        }
        if (!choice && needs.motion > 0 && !job_.checkpoint && options().debug_view == DebugView::none) {
            const std::string wanted = smallest_budget(smallest);
            needs.motion = 0;
            job_.plan.temporal = TemporalPreset::off;
            choice = choose_with_encoder(needs, 0, smallest);
            note("There is not enough memory to hold frames steady: --temporal is off. " + wanted +
                 " would do for it.");
        }
        return choice;
    }

    void choose_reuse_there(MemoryNeeds& needs) {
        if (std::string words = words_of_refused_reuse(job_); !words.empty()) {
            note(std::move(words));
            job_.plan.reuse = Reuse::off;
            needs.reuse = false;
        }
        if (needs.reuse && needs.resident) {
            needs.reuse_work = reuse_work_there(needs.frame, needs.scale);
        }
    }

    void set_decoder_threads(MemoryNeeds& needs, int threads) {
        job_.plan.decoder_threads = threads;
        needs.decoder = decoder_memory(job_.source, threads);
        if (job_.deinterlacing.rate != DeinterlacedRate::none) {
            needs.decoder += kDeinterlacedPictures * video().format.picture_bytes(video().width, video().height);
        }
    }

    std::optional<MemoryChoice> choose_with_encoder(MemoryNeeds& needs, std::uint64_t for_encoder,
                                                    MemoryChoice& smallest) {
        choose_encoder_settings(for_encoder);
        adopt_encoder_settings();
        needs.alpha_kept = keeps_alpha(job_);
        needs.resident = stays_on_device(job_);
        choose_reuse_there(needs);
        needs.surfaces_read =
            place_of_encoding(job_) ? kSurfacesBeforeEncoder + pictures_held_by_encoder(job_.encoder) : 0;
        needs.encoder = encoder_memory(job_.encoder);
        needs.result_picture = job_.encoder.format.picture_bytes(job_.encoder.width, job_.encoder.height);
        return fit_memory(needs, smallest);
    }

    MemoryNeeds needs_without_encoder() {
        MemoryNeeds needs;
        const Network& network = job_.model->network;
        needs.frame = input_size();
        needs.frames = video().frames;
        needs.scale = network.scale;
        set_halo(needs, network);
        needs.tile = options().tile;
        if (job_.checkpoint && job_.checkpoint->resolved.tile_width > 0) {   // the seams must stay where they are
            needs.tile = std::max(job_.checkpoint->resolved.tile_width, job_.checkpoint->resolved.tile_height);
        }
        needs.batch = options().batch;
        needs.threads = job_.executor.threads;
        needs.devices = static_cast<int>(job_.executor.links.size());
        if (needs.devices > 0) {
            needs.threads = kRequestsOfDevice * needs.devices;
            needs.vram_budget = vram_budget(options(), job_.devices);
            needs.surfaces = options().hwaccel == "cuda" ? decoder_device_memory(job_.source) : 0;
        }
        needs.input_kept = options().colour_fix != ColourFixing::off;
        needs.budget = options().max_memory ? *options().max_memory : default_memory_budget();
        needs.cost = network_cost(needs.devices > 0 ? needs.vram_budget : needs.budget);
        job_.peak_rss_bytes = needs.cost.peak_rss_bytes;
        seconds_per_frame_ = needs.cost.seconds_per_pixel * video().width * video().height;
        needs.base = resident_bytes() + kRunOverhead;
        set_decoder_threads(needs, usable_cpus());
        const auto pixels =
            static_cast<std::uint64_t>(needs.frame.width) * static_cast<std::uint64_t>(needs.frame.height);
        needs.source_picture = video().format.picture_bytes(video().width, video().height);
        needs.input_tensor = pixels * 3 * sizeof(float);
        needs.output_tensor = needs.input_tensor * static_cast<std::uint64_t>(network.scale * network.scale);
        if (job_.plan.temporal != TemporalPreset::off) {
            const bool in_bands = job_.executor.links.empty();
            const TemporalMemory memory = temporal_memory(options().debug_view, needs.frame, network.scale, in_bands);
            needs.motion = memory.motion;
            needs.temporal_apart = memory.apart;
            needs.temporal_in_turn = memory.in_turn;
        }
        if (job_.plan.reuse != Reuse::off) {
            needs.reuse = true;
            needs.reuse_work = pixels * kReuseWorkBytes;
        }
        needs.result_picture = needs.output_tensor / sizeof(float);   // until the encoder's format is known
        return needs;
    }

    // Measured where that is worth its time and cannot itself exceed the budget.
    [[nodiscard]] NetworkCost network_cost(std::uint64_t budget) const {
        const NetworkCost estimate = estimate_cost(job_.model->network, job_.executor);
        const std::uint64_t taken = job_.executor.links.empty() ? resident_bytes() : 0;
        const double probe = estimate.bytes_per_pixel * kLargeProbeSide * kLargeProbeSide +
                             static_cast<double>(estimate.fixed_bytes + taken);
        return job_is_longer_than_probe() && probe < static_cast<double>(budget)
                   ? measure_cost(job_.model->network, job_.executor)
                   : estimate;
    }

    [[nodiscard]] bool job_is_longer_than_probe() const {
        const auto frames = video().frames;
        if (frames <= 0) {
            return true;
        }
        const double pixels = static_cast<double>(frames) * video().width * video().height;
        return pixels > kProbeWorth * kProbePixels;
    }

    [[nodiscard]] std::uint64_t reserved(MemoryNeeds needs) const {
        needs.batch = std::min(2, needs.threads);
        const int least = std::max(kReservedTile, 2 * needs.halo + std::max({2 * needs.blend, 32, needs.alignment}));
        needs.tile = needs.tile.value_or(least);
        needs.budget = 0;
        MemoryChoice smallest;
        fit_memory(needs, smallest);
        return smallest.memory.expected();
    }

    [[nodiscard]] Size asked_size() const {
        const int scale = options().scale;
        if (!options().fit) {
            return options().size.value_or(Size{video().width * scale, video().height * scale});
        }
        const Rational aspect = video().sample_aspect;
        const double shape = aspect.num > 0 && aspect.den > 0 ? aspect.value() : 1.0;
        return fitted(video().width * shape, video().height, *options().fit);
    }

    void choose_encoder_settings(std::uint64_t budget) {
        const Size asked = asked_size();
        std::vector<std::string> notes;
        job_.encoder = choose_encoder(options(), job_.source, even(asked), budget, notes);
        if (even(asked) != asked && takes_odd_sides(job_.encoder.format)) {
            notes.clear();
            job_.encoder = choose_encoder(options(), job_.source, asked, budget, notes);
        } else if (even(asked) != asked) {
            notes.push_back("The output is " + words(even(asked)) + ", not " + words(asked) +
                            ": subsampled chroma needs even sides.");
        }
        encoder_notes_ = std::move(notes);
    }

    // Threads and lookahead change what comes out, so those that the job was begun with are kept.
    void adopt_encoder_settings() {
        if (!job_.checkpoint) {
            return;
        }
        const ResolvedJob& before = job_.checkpoint->resolved;
        job_.encoder.threads = before.encoder_threads;
        job_.encoder.lookahead = before.lookahead;
        job_.encoder.references = before.references;
        job_.encoder.b_frames = before.b_frames;
    }

    [[noreturn]] void refuse_memory(const MemoryNeeds& needs, const MemoryChoice& smallest) const {
        const MemoryPlan& least = smallest.memory;
        if (least.vram > least.vram_budget) {
            throw Error(ErrorKind::refused,
                        {"fitting the network into the device's memory",
                         words(input_size()) + " with " + job_.model->name + " on " + names(job_.devices),
                         "the budget is " + format_bytes(least.vram_budget) + ", but even with tiles of " +
                             words(smallest.layout.tile) + " the network needs " + format_bytes(least.vram),
                         "The smallest budget that would do is --max-vram " +
                             std::to_string((least.vram + kMiB - 1) / kMiB) + "MiB"});
        }
        std::string hint = "The smallest budget that would do is " + smallest_budget(smallest);
        if (needs.motion > 0) {
            hint += job_.checkpoint ? ". A job that is begun anew (--resume never) with --temporal off needs less"
                                    : ". --temporal off, without --debug-view, needs less";
        }
        throw Error(
            ErrorKind::refused,
            {"fitting the job into the memory budget", words(input_size()) + " with " + job_.model->name,
             "the budget is " + format_bytes(needs.budget) + ", but even with tiles of " + words(smallest.layout.tile) +
                 " the job needs " + format_bytes(least.expected()) + " (program " + format_bytes(least.base) +
                 ", decoder " + format_bytes(least.decoder) + ", network " + format_bytes(least.network) + ", frames " +
                 format_bytes(least.frames) + ", temporal " + format_bytes(least.temporal) + ", encoder " +
                 format_bytes(least.encoder) + ")",
             std::move(hint)});
    }

    [[nodiscard]] static std::string smallest_budget(const MemoryChoice& smallest) {
        const auto whole_mib = (smallest.memory.expected() + kRefusalMargin + kMiB - 1) / kMiB;
        return "--max-memory " + std::to_string(whole_mib) + "MiB";
    }

    ModelShelf& models_;
    Observer& observer_;
    std::stop_token stop_;
    PreparedJob job_;
    std::vector<std::string> encoder_notes_;
    double seconds_per_frame_ = 0;   // 0 = not measured
};

}   // namespace

PreparedJob prepare(const Options& options) {
    ModelShelf models;
    Observer silent;
    return prepare(options, models, silent);
}

PreparedJob prepare(const Options& options, ModelShelf& models, Observer& observer, std::stop_token stop,
                    bool filtered) {
    return Planner(options, models, observer, std::move(stop), filtered).run();
}

}   // namespace millstream
