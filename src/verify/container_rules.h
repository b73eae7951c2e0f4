// What containers keep of tags and dispositions, and what their muxers write on their own.
#pragma once

#include <set>
#include <string>

#include "media/file_description.h"

namespace millstream {

/// Demuxer names of FFmpeg, e.g. "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2".
bool is_matroska(const std::string& demuxer);
bool is_mov(const std::string& demuxer);

/// The muxer's name for a result: the demuxer reads several containers, the extension tells which.
std::string container_of(const SourceInfo& result);

/// Tags of a file or of a stream without what muxers and encoders write themselves, in a form that can be compared:
/// languages that say nothing are left out, dates end with the second.
Tags comparable_file_tags(const Tags& tags);
Tags comparable_stream_tags(const Tags& tags);

/// Whether a result in `container` (container_of) can be expected to have this tag.
bool keeps_stream_tag(const std::string& container, const std::string& key);

/// The dispositions that a container keeps of a stream.
std::set<std::string> kept_dispositions(const std::string& container, StreamKind kind,
                                        const std::set<std::string>& dispositions);

}   // namespace millstream
