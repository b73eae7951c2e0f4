#include "verify/compare_files.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "media/carriage.h"
#include "media/encoding.h"
#include "verify/container_rules.h"
#include "verify/words.h"

namespace millstream {
namespace {

std::string joined(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text.empty() ? "none" : text;
}

// Tags of both sides, key by key. Those that the container loses are a note.
template <class Keeps>
void compare_tags(const Tags& source, const Tags& result, const std::string& place, CheckKind kind, Keeps&& keeps,
                  Findings& findings) {
    for (const auto& [key, value] : source) {
        const auto found = result.find(key);
        if (found == result.end() && !keeps(key)) {
            findings.note(place + ": the container of the result does not keep the tag '" + key + "'.");
            continue;
        }
        findings.compare(kind, place + ", tag '" + key + "'", value, found == result.end() ? "" : found->second);
    }
    for (const auto& [key, value] : result) {
        if (!source.contains(key)) {
            findings.compared(kind);
            findings.differ(kind, {place + ", tag '" + key + "'", "", value});
        }
    }
}

void report_missing(const StreamDescription& stream, const std::string& container, const VerifyOptions& options,
                    Findings& findings) {
    const std::string words = stream_words(stream.info);
    const bool left_out =
        std::find(options.left_out.begin(), options.left_out.end(), stream.info.index) != options.left_out.end();
    if (left_out || (stream.info.kind == StreamKind::audio && !options.audio)) {
        findings.note("The source's " + words + " is not in the result, as asked for.");
        return;
    }
    const CarriageDecision decision = decide_carriage(stream.info, container, options.convert_subtitles);
    if (decision.stream.how == Carriage::drop) {
        findings.note("The source's " + words + " is not in the result: " + decision.reason + ".");
        return;
    }
    if (decision.stream.how == Carriage::metadata) {   // compared as chapters and as timecode
        return;
    }
    findings.differ(CheckKind::streams, {words, "present", "missing, though " + container + " can hold it"});
}

void compare_attachments(const StreamPair& pair, Findings& findings) {
    const AttachmentDescription& source = *pair.source->attachment;
    const AttachmentDescription& result = *pair.result->attachment;
    const std::string place = stream_words(pair.source->info);
    findings.compare(CheckKind::attachments, place + ", file name", source.file_name, result.file_name);
    findings.compare(CheckKind::attachments, place + ", MIME type", source.mime_type, result.mime_type);
    const auto bytes = [](const AttachmentDescription& attachment) {
        return std::to_string(attachment.bytes) + " bytes, hash " + attachment.hash;
    };
    findings.compare(CheckKind::attachments, place + ", contents", bytes(source), bytes(result));
}

// MP4 and MOV mark the first track of a kind as default where none is.
bool default_is_free(const std::vector<StreamDescription>& streams, StreamKind kind, const std::string& container) {
    return (container == "mp4" || container == "mov") &&
           std::none_of(streams.begin(), streams.end(), [&](const StreamDescription& stream) {
               return stream.info.kind == kind && stream.dispositions.contains("default");
           });
}

void compare_dispositions(const StreamDescription& source, const StreamDescription& result,
                          const ComparedFile& source_file, const std::string& container, Findings& findings) {
    auto wanted = kept_dispositions(container, source.info.kind, source.dispositions);
    auto found = kept_dispositions(container, source.info.kind, result.dispositions);
    if (default_is_free(source_file.contents.streams, source.info.kind, container)) {
        found.erase("default");
    }
    findings.compare(CheckKind::dispositions, stream_words(source.info), joined(wanted), joined(found));
}

void compare_stream_tags(const StreamDescription& source, const StreamDescription& result, const std::string& container,
                         Findings& findings) {
    compare_tags(
        comparable_stream_tags(source.tags), comparable_stream_tags(result.tags), stream_words(source.info),
        CheckKind::metadata, [&](const std::string& key) { return keeps_stream_tag(container, key); }, findings);
}

const SideDataDescription* find_side_data(const FileDescription& file, const std::string& name) {
    const auto found = std::find_if(file.video_side_data.begin(), file.video_side_data.end(),
                                    [&](const SideDataDescription& data) { return data.name == name; });
    return found == file.video_side_data.end() ? nullptr : &*found;
}

// Containers keep chromaticities in steps of 0.00002, luminances in 0.0001, or as floats.
bool alike(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](double x, double y) { return std::abs(x - y) <= 1e-4 + 1e-4 * std::abs(x); });
}

// A matrix that changes nothing is as good as none.
bool is_identity(const SideDataDescription& data) {
    return data.name == "display matrix" && alike(data.values, {65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30});
}

void compare_one(const char* name, const SideDataDescription* source, const SideDataDescription* result,
                 Findings& findings) {
    findings.compared(CheckKind::picture_data);
    const bool both = source != nullptr && result != nullptr;
    const bool same = both ? alike(source->values, result->values) : source == result;
    if (!same) {
        findings.differ(CheckKind::picture_data,
                        {name, source == nullptr ? "" : source->words, result == nullptr ? "" : result->words});
    }
}

void compare_side_data(const FileDescription& source, const FileDescription& result, Findings& findings) {
    for (const char* name : {"mastering display", "content light level"}) {
        compare_one(name, find_side_data(source, name), find_side_data(result, name), findings);
    }
}

// The translation is in pixels of the picture as it is shown: the result's are smaller or larger.
std::optional<SideDataDescription> scaled(const SideDataDescription* matrix, const VideoStreamInfo& from,
                                          const VideoStreamInfo& to) {
    if (matrix == nullptr) {
        return std::nullopt;
    }
    SideDataDescription result = *matrix;
    const double across = static_cast<double>(to.width) / from.width;
    const double down = static_cast<double>(to.height) / from.height;
    const bool on_its_side = result.values[0] == 0;
    result.values[6] *= on_its_side ? down : across;
    result.values[7] *= on_its_side ? across : down;
    return result;
}

// Where the pictures themselves were turned none is left to say so.
void compare_rotation(const ComparedFile& source, const ComparedFile& result, Findings& findings) {
    const auto matrix_of = [](const ComparedFile& file) {
        const SideDataDescription* matrix = find_side_data(file.contents, "display matrix");
        return matrix == nullptr || is_identity(*matrix) ? nullptr : matrix;
    };
    const SideDataDescription* wanted = source.info.video().video->turned ? nullptr : matrix_of(source);
    const SideDataDescription* found = matrix_of(result);
    const std::string container = container_of(result.info);
    if (wanted != nullptr && found == nullptr && !holds_rotation(container)) {
        findings.note("The source is shown " + wanted->words + ", which " + extension_of(container) +
                      " as it is written here cannot say.");
        return;
    }
    const auto expected = scaled(wanted, *source.info.video().video, *result.info.video().video);
    compare_one("display matrix", expected ? &*expected : nullptr, found, findings);
}

// Whole pictures that were made of fields are what is wanted of them, unless they were to be kept.
void compare_field_order(FieldOrder source, FieldOrder result, const VerifyOptions& options, Findings& findings) {
    constexpr const char* kNames[] = {"progressive", "top field first", "bottom field first"};
    if (source != FieldOrder::progressive && result == FieldOrder::progressive && !options.fields_kept) {
        findings.note("The source is interlaced, the result's pictures are whole.");
        return;
    }
    findings.compare(CheckKind::picture_data, "field order", kNames[static_cast<int>(source)],
                     kNames[static_cast<int>(result)]);
}

std::string planes_words(const PixelFormat& format) {
    const auto factor = [](int shift) { return std::to_string(1 << shift); };
    const std::string colour =
        format.family == ColourFamily::rgb ? "RGB"
        : format.family == ColourFamily::gray
            ? "gray"
            : "YCbCr, chroma by " + factor(format.chroma_shift_x) + "x" + factor(format.chroma_shift_y);
    return colour + ", " + std::to_string(format.depth) + " bit" + (format.alpha ? ", alpha" : "");
}

// Some decoders hand out more bits than were encoded; that is nothing lost.
bool holds_planes(const PixelFormat& wanted, PixelFormat found) {
    found.depth = std::min(found.depth, wanted.depth);
    return found == wanted;
}

// Whether the encoder could have held the source's format is known to who has chosen it.
void compare_planes(const PixelFormat& source, const PixelFormat& result, const VerifyOptions& options,
                    Findings& findings) {
    const auto asked = options.pixel_format.empty() ? std::nullopt : format_called(options.pixel_format);
    findings.compared(CheckKind::picture_data);
    if (asked && !holds_planes(*asked, result)) {
        findings.differ(CheckKind::picture_data, {"pixel format", planes_words(*asked), planes_words(result)});
    } else if (!asked && !holds_planes(source, result)) {
        findings.note("The source's pictures are " + planes_words(source) + ", the result's " + planes_words(result) +
                      ".");
    }
}

// A track of its own, or a tag of the video or the file.
std::string timecode_of(const ComparedFile& file) {
    for (const StreamInfo& stream : file.info.streams) {
        if (!stream.timecode.empty()) {
            return stream.timecode;
        }
    }
    const auto tag = file.contents.tags.find("timecode");
    return tag == file.contents.tags.end() ? "" : tag->second;
}

constexpr int kUnspecified = 2;   // H.273

std::string code_point(int value) {
    return value == kUnspecified ? "unspecified" : std::to_string(value) + " (H.273)";
}

std::string location_words(ChromaLocation location) {
    constexpr const char* kNames[] = {"unspecified", "left", "center", "top left", "top", "bottom left", "bottom"};
    return kNames[static_cast<int>(location)];
}

// What the source leaves open may be filled in with what it means; what it says must stay. The pictures of rgb sources
// are encoded as yuv: their matrix and range are the result's own.
void compare_colour(const VideoStreamInfo& source, const VideoStreamInfo& result, Findings& findings) {
    const Colour meant = resolve_colour(source.colour, source.format, source.height);
    const Colour& said = result.colour;
    const auto compare = [&](const char* name, const std::string& wanted, const std::string& found, bool same) {
        findings.compared(CheckKind::picture_data);
        if (!same) {
            findings.differ(CheckKind::picture_data, {name, wanted, found});
        }
    };
    const auto number = [&](const char* name, int wanted, int found) {
        compare(name, code_point(wanted), code_point(found), wanted == kUnspecified || wanted == found);
    };
    number("colour primaries", meant.primaries, said.primaries);
    number("transfer characteristics", meant.transfer, said.transfer);
    if (source.format.family == ColourFamily::rgb && result.format.family != ColourFamily::rgb) {
        return;
    }
    compare("colour range", meant.full_range ? "full" : "limited", said.full_range ? "full" : "limited",
            meant.full_range == said.full_range);
    if (source.format.family != ColourFamily::yuv || result.format.family != ColourFamily::yuv) {
        return;
    }
    const Colour understood = resolve_colour(said, result.format, result.height);
    number("matrix coefficients", meant.matrix, understood.matrix);
    const bool subsampled = source.format.chroma_shift_x == 1 && source.format.chroma_shift_y == 1;
    compare("chroma location", location_words(meant.chroma_location), location_words(understood.chroma_location),
            !subsampled || source.format.chroma_shift_y != result.format.chroma_shift_y ||
                meant.chroma_location == understood.chroma_location);
}

// Width to height as shown; an unknown sample aspect is a square one.
double display_aspect(const VideoStreamInfo& video) {
    const double sample = video.sample_aspect.num > 0 ? video.sample_aspect.value() : 1.0;
    return sample * video.width / video.height;
}

void compare_aspect(const VideoStreamInfo& source, const VideoStreamInfo& result, Findings& findings) {
    findings.compared(CheckKind::picture_data);
    const double wanted = display_aspect(source);
    const double found = display_aspect(result);
    // Sides are whole pixels, and even ones where chroma is subsampled.
    const double rounding = 2.0 / std::min(result.width, result.height);
    if (std::abs(found / wanted - 1) > rounding) {
        const auto words = [](const VideoStreamInfo& video) {
            return std::to_string(video.width) + "x" + std::to_string(video.height) + " with sample aspect " +
                   std::to_string(video.sample_aspect.num) + ":" + std::to_string(video.sample_aspect.den) +
                   ", shown " + fixed(display_aspect(video), 4) + ":1";
        };
        findings.differ(CheckKind::picture_data, {"aspect ratio", words(source), words(result)});
    }
}

}   // namespace

void compare_streams(const ComparedFile& source, const ComparedFile& result, const std::vector<StreamPair>& pairs,
                     const VerifyOptions& options, Findings& findings) {
    const std::string container = container_of(result.info);
    const auto& source_video = source.contents.streams.at(static_cast<std::size_t>(source.info.video_stream));
    const auto& result_video = result.contents.streams.at(static_cast<std::size_t>(result.info.video_stream));
    compare_stream_tags(source_video, result_video, container, findings);
    compare_dispositions(source_video, result_video, source, container, findings);
    for (const StreamPair& pair : pairs) {
        if (pair.result == nullptr) {
            findings.compared(CheckKind::streams);
            report_missing(*pair.source, container, options, findings);
        } else if (pair.source == nullptr) {
            // Data: the track that MP4 keeps chapter titles in, and the like.
            if (pair.result->info.kind != StreamKind::data) {
                findings.differ(CheckKind::streams, {"result's " + stream_words(pair.result->info), "", "present"});
            }
        } else {
            findings.compared(CheckKind::streams);
            compare_dispositions(*pair.source, *pair.result, source, container, findings);
            if (pair.source->attachment && pair.result->attachment) {
                compare_attachments(pair, findings);
            } else {
                compare_stream_tags(*pair.source, *pair.result, container, findings);
            }
        }
    }
}

void compare_chapters(const ComparedFile& source, const ComparedFile& result, double tolerance_s, Findings& findings) {
    const auto& wanted = source.contents.chapters;
    const auto& found = result.contents.chapters;
    findings.compared(CheckKind::chapters, static_cast<std::int64_t>(wanted.size()));
    const auto start = [](const ComparedFile& file, const ChapterDescription& chapter) {
        return chapter.start_s - file.first_frame_s;
    };
    const auto title = [](const ChapterDescription& chapter) {
        const auto tag = chapter.tags.find("title");
        return tag == chapter.tags.end() ? std::string() : tag->second;
    };
    const auto words = [&](const ComparedFile& file, const ChapterDescription& chapter) {
        return "'" + title(chapter) + "' at " + time_words(start(file, chapter));
    };
    const auto same = [&](const ChapterDescription& a, const ChapterDescription& b) {
        return title(a) == title(b) && std::abs(start(source, a) - start(result, b)) <= tolerance_s;
    };
    std::size_t j = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::string place = "chapter " + std::to_string(i + 1);
        const bool next_fits = i + 1 < wanted.size() && j < found.size() && same(wanted[i + 1], found[j]);
        if (j == found.size() || (!same(wanted[i], found[j]) && next_fits)) {
            findings.differ(CheckKind::chapters, {place, words(source, wanted[i]), ""});
        } else if (!same(wanted[i], found[j])) {
            findings.differ(CheckKind::chapters, {place, words(source, wanted[i]), words(result, found[j])});
            ++j;
        } else {
            ++j;
        }
    }
    for (; j < found.size(); ++j) {
        findings.differ(CheckKind::chapters,
                        {"result's chapter " + std::to_string(j + 1), "", words(result, found[j])});
    }
}

void compare_file_tags(const ComparedFile& source, const ComparedFile& result, Findings& findings) {
    const std::string container = container_of(result.info);
    compare_tags(
        comparable_file_tags(source.contents.tags), comparable_file_tags(result.contents.tags), "file",
        CheckKind::metadata, [&](const std::string& key) { return keeps_file_tag(container, key); }, findings);
}

void compare_picture_data(const ComparedFile& source, const ComparedFile& result, const VerifyOptions& options,
                          Findings& findings) {
    const VideoStreamInfo& wanted = *source.info.video().video;
    const VideoStreamInfo& found = *result.info.video().video;
    compare_aspect(wanted, found, findings);
    compare_colour(wanted, found, findings);
    compare_planes(wanted.format, found.format, options, findings);
    compare_field_order(wanted.field_order, found.field_order, options, findings);
    compare_rotation(source, result, findings);
    compare_side_data(source.contents, result.contents, findings);
    if (const std::string timecode = timecode_of(source); !timecode.empty()) {
        findings.compare(CheckKind::picture_data, "timecode", timecode, timecode_of(result));
    }
}

}   // namespace millstream
