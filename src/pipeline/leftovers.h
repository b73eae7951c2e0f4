// What a run leaves beside OUT when it does not end well.
#pragma once

#include <filesystem>

#include "base/file.h"

namespace millstream {

/// When it goes, it removes OUT.part and the checkpoint where there is nothing in them to go on with: an empty
/// OUT.part, or one whose checkpoint is begun_text(). Decided by what is on the disk, not by how the run has ended:
/// what is committed stays whatever went wrong. What another run holds locked, or is not ours, stays as it is. Must
/// outlive the run's own lock. discard() takes what is committed, too.
class Leftovers {
public:
    Leftovers(FileCalls& files, std::filesystem::path output) : files_(files), output_(std::move(output)) {}
    Leftovers(const Leftovers&) = delete;
    Leftovers& operator=(const Leftovers&) = delete;
    ~Leftovers();
    /// Going on would end the same way: nothing stays.
    void discard() { discarded_ = true; }

private:
    FileCalls& files_;
    std::filesystem::path output_;
    bool discarded_ = false;
};

/// Removes the checkpoint of a run that was killed between its last two calls: OUT is finished.
void remove_finished_checkpoint(FileCalls& files, const std::filesystem::path& output);

}   // namespace millstream
