#include "pipeline/leftovers.h"

#include <optional>
#include <system_error>

#include "millstream/error.h"
#include "millstream/job.h"
#include "pipeline/checkpoint.h"
#include "pipeline/output_checks.h"

namespace millstream {
namespace {

// Held as long as the result lives. Nothing where there is no such file, or another run holds it.
std::optional<File> locked(FileCalls& files, const std::filesystem::path& partial) {
    std::error_code failed;
    if (!std::filesystem::exists(partial, failed)) {
        return std::nullopt;
    }
    File file(files, partial, File::Open::existing);
    return file.lock() ? std::optional<File>(std::move(file)) : std::nullopt;
}

void remove_worthless(FileCalls& files, const std::filesystem::path& output, bool discarded) {
    const std::filesystem::path checkpoint = checkpoint_path(output);
    const std::filesystem::path partial = partial_path(output);
    const std::optional<File> lock = locked(files, partial);
    std::error_code failed;
    if (!lock && std::filesystem::exists(partial, failed)) {
        return;
    }
    const bool ours = std::filesystem::exists(checkpoint, failed);
    const bool worth_something = ours ? read_checkpoint(checkpoint).has_value() : lock && lock->size() > 0;
    if (worth_something && !discarded) {
        return;
    }
    remove_file(files, partial);   // first: Note [Begun]
    remove_file(files, checkpoint);
    remove_file(files, temporary_of(checkpoint));
}

}   // namespace

Leftovers::~Leftovers() {
    try {
        remove_worthless(files_, output_, discarded_);
    } catch (const Error&) {   // the job has failed already, and says why
    }
}

void remove_finished_checkpoint(FileCalls& files, const std::filesystem::path& output) {
    std::error_code failed;
    const auto path = checkpoint_path(output);
    if (!std::filesystem::exists(path, failed) || std::filesystem::exists(partial_path(output), failed) ||
        !std::filesystem::exists(output, failed)) {
        return;
    }
    try {
        const std::optional<Checkpoint> checkpoint = read_checkpoint(path);
        if (!checkpoint || checkpoint->output.complete) {
            remove_file(files, path);
        }
    } catch (const Error&) {   // not ours, or damaged: planning says so
    }
}

std::vector<std::filesystem::path> remove_leftovers(const std::filesystem::path& output) {
    const std::filesystem::path partial = partial_path(output);
    const std::filesystem::path checkpoint = checkpoint_path(output);
    std::error_code failed;
    const std::optional<File> lock = locked(system_files(), partial);
    if (!lock && std::filesystem::exists(partial, failed)) {
        throw Error(ErrorKind::refused,
                    {"removing what a run has left", partial.string(), "a run is writing it", "Stop that run first"});
    }
    std::vector<std::filesystem::path> removed;
    for (const std::filesystem::path& path : {checkpoint, temporary_of(checkpoint), partial}) {
        if (std::filesystem::exists(path, failed)) {
            remove_file(system_files(), path);
            removed.push_back(path);
        }
    }
    return removed;
}

}   // namespace millstream
