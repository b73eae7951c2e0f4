// What two files say of themselves: streams, chapters, tags, dispositions, attachments, picture data.
#pragma once

#include <vector>

#include "media/file_description.h"
#include "millstream/verify.h"
#include "verify/findings.h"
#include "verify/stream_pairs.h"

namespace millstream {

/// A file with the facts about it.
struct ComparedFile {
    SourceInfo info;
    FileDescription contents;
    double first_frame_s = 0;   ///< pts of the first frame in the file's own time
};

/// Streams without a partner, and tags, dispositions and attachments of those that have one.
void compare_streams(const ComparedFile& source, const ComparedFile& result, const std::vector<StreamPair>& pairs,
                     const VerifyOptions& options, Findings& findings);
void compare_chapters(const ComparedFile& source, const ComparedFile& result, double tolerance_s, Findings& findings);
void compare_file_tags(const ComparedFile& source, const ComparedFile& result, Findings& findings);
/// Sample aspect, colour, planes, field order, rotation, mastering display, light level of the enhanced stream,
/// timecode.
void compare_picture_data(const ComparedFile& source, const ComparedFile& result, const VerifyOptions& options,
                          Findings& findings);

}   // namespace millstream
