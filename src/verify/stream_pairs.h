// Which stream of the result is which stream of the source.
#pragma once

#include <optional>
#include <vector>

#include "media/file_description.h"
#include "millstream/verify.h"

namespace millstream {

struct StreamPair {
    const StreamDescription* source = nullptr;   ///< nullptr: only the result has it
    const StreamDescription* result = nullptr;   ///< nullptr: only the source has it
};

/// The result's stream that was made of source.video_stream: tracks stand in the source's order, so that it is the
/// video behind those that the container holds of the ones before it.
int enhanced_stream(const SourceInfo& source, const SourceInfo& result, const VerifyOptions& options);

/// Two text subtitle codecs, of which one is the other's conversion.
bool is_converted_text(const StreamDescription& source, const StreamDescription& result);

/// Pairs the streams but the two enhanced ones, kind by kind and in their order, as many as possible; where there is a
/// choice, those alike in codec, language, title and format. Streams pair only where codecs are the same or both are
/// text. Sorted by the source's order, what only the result has last.
std::vector<StreamPair> pair_streams(const FileDescription& source, int source_video, const FileDescription& result,
                                     int result_video);

}   // namespace millstream
