#include "pipeline/stream_plan.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "media/index_in_front.h"
#include "millstream/error.h"

namespace millstream {
namespace {

const StreamSelection* selection_for(StreamKind kind, const Options& options) {
    switch (kind) {
        case StreamKind::audio:
            return &options.audio;
        case StreamKind::subtitle:
            return &options.subtitles;
        default:
            return nullptr;
    }
}

bool is_selected(const StreamInfo& stream, const Options& options) {
    const StreamSelection* selection = selection_for(stream.kind, options);
    if (selection == nullptr || selection->kind == StreamSelection::Kind::all) {
        return true;
    }
    return selection->kind == StreamSelection::Kind::chosen &&
           std::find(selection->indices.begin(), selection->indices.end(), stream.index) != selection->indices.end();
}

std::string list_of_kind(const SourceInfo& source, StreamKind kind) {
    std::string text;
    for (const StreamInfo& stream : source.streams) {
        if (stream.kind == kind) {
            text += (text.empty() ? "" : ", ") + std::to_string(stream.index) + " (" + stream.codec +
                    (stream.language.empty() ? "" : ", " + stream.language) + ")";
        }
    }
    return text.empty() ? "it has none" : "it has " + text;
}

void check_selection(const SourceInfo& source, const Options& options, StreamKind kind, const std::string& option) {
    const StreamSelection& selection = *selection_for(kind, options);
    if (selection.kind != StreamSelection::Kind::chosen) {
        return;
    }
    for (const int index : selection.indices) {
        const bool right = std::any_of(source.streams.begin(), source.streams.end(), [&](const StreamInfo& stream) {
            return stream.index == index && stream.kind == kind;
        });
        if (!right) {
            throw Error(ErrorKind::usage, {"choosing the streams", option + " " + std::to_string(index),
                                           "the input has no " + to_string(kind) + " stream of that number; " +
                                               list_of_kind(source, kind),
                                           "`millstream inspect` lists the streams with their numbers"});
        }
    }
}

std::string action_of(Carriage how) {
    switch (how) {
        case Carriage::copy:
        case Carriage::attach:
        case Carriage::cover:
            return "copy";
        case Carriage::convert:
        case Carriage::metadata:
            return "convert";
        case Carriage::drop:
            break;
    }
    return "drop";
}

std::string reason_of(const CarriageDecision& decision, const StreamInfo& stream) {
    if (decision.stream.how != Carriage::metadata) {
        return decision.reason;
    }
    return stream.chapter_titles ? "the chapters hold what is in it" : "to the timecode of the video";
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

void note_roles(PreparedJob& job, const StreamInfo& stream) {
    if (job.plan.container == "mov" && !stream.roles.empty()) {
        job.plan.notes.push_back("MOV cannot say that stream " + std::to_string(stream.index) + " is " +
                                 joined(stream.roles) + "; .mkv and .mp4 can.");
    }
}

void plan_stream(PreparedJob& job, const StreamInfo& stream) {
    const Options& options = job.plan.options;
    StreamPlan plan{stream.index, to_string(stream.kind), stream.codec, stream.language, "drop", ""};
    if (stream.index == job.source.video_stream) {
        plan.action = "enhance";
    } else if (!is_selected(stream, options)) {
        plan.reason = "not chosen";
    } else {
        const CarriageDecision decision = decide_carriage(stream, job.plan.container, options.convert_subtitles);
        plan.action = action_of(decision.stream.how);
        plan.reason = reason_of(decision, stream);
        if (decision.stream.how == Carriage::drop) {
            job.plan.notes.push_back("Stream " + std::to_string(stream.index) + " (" + plan.kind + ", " + plan.codec +
                                     ") will not be in the output: " + plan.reason + ".");
        } else {
            note_roles(job, stream);
            job.carried.push_back(decision.stream);
        }
    }
    job.plan.streams.push_back(std::move(plan));
}

}   // namespace

void plan_streams(PreparedJob& job) {
    check_selection(job.source, job.plan.options, StreamKind::audio, "--audio");
    check_selection(job.source, job.plan.options, StreamKind::subtitle, "--subtitles");
    for (const StreamInfo& stream : job.source.streams) {
        plan_stream(job, stream);
    }
    check_beginnings(job.source, job.carried, job.plan.container);
    job.plan.chapters = job.source.chapters;
    const std::vector<std::string> lost = lost_tags(job.source, job.plan.container);
    if (!lost.empty()) {
        job.plan.notes.push_back("MP4 has no place for these tags: " + joined(lost) + "; .mkv and .mov have.");
    }
}

void note_picture(PreparedJob& job) {
    const VideoStreamInfo& video = *job.source.video().video;
    const auto note = [&](std::string sentence) { job.plan.notes.push_back(std::move(sentence)); };
    const bool rotated = !video.orientation || !video.orientation->is_upright();
    if (video.turned) {
        note("The pictures are turned as they are to be shown.");
    } else if (rotated && !holds_rotation(job.plan.container)) {
        note(std::string("The video is shown turned or mirrored, which ") + extension_of(job.plan.container) +
             " as it is written here cannot say: it will be shown as it is coded. Use .mp4 or .mov" +
             (video.orientation ? ", or --bake-rotation." : "."));
    } else if (job.plan.options.bake_rotation && !video.orientation) {
        note("The video is shown turned by other than quarters: --bake-rotation leaves that to the player.");
    }
    if (video.only_dolby_vision) {
        note(
            "The video is Dolby Vision without an ordinary base layer (profile 5): without its dynamic metadata, which "
            "is left out, the colours of the output will be wrong. Use a version of it that has a base layer.");
    } else if (video.dolby_vision) {
        note(
            "Dolby Vision's dynamic metadata is left out, it would not fit the enhanced picture; the base layer is "
            "kept.");
    }
    if (video.hdr10_plus) {
        note(
            "HDR10+'s dynamic metadata is left out, it would not fit the enhanced picture; static HDR metadata is "
            "kept.");
    }
    if (video.film_grain) {
        note("The film grain that the decoder adds is part of the pictures that are enhanced.");
    }
}

void plan_index(PreparedJob& job) {
    if (!job.plan.options.faststart) {
        return;
    }
    if (job.plan.container != "mp4" && job.plan.container != "mov") {
        job.plan.notes.emplace_back("--faststart is for .mp4 and .mov; it changes nothing here.");
        return;
    }
    job.index_bytes = predicted_index_bytes(job.source, job.carried);
    if (job.index_bytes == 0) {
        job.plan.notes.emplace_back(
            "The input's length is unknown: the index stays at the end in spite of --faststart.");
    }
}

}   // namespace millstream
