// The job with the system calls it writes through: for tests that record them or make them fail.
#pragma once

#include <stop_token>

#include "base/file.h"
#include "millstream/job.h"
#include "model/shelf.h"

namespace millstream {

/// enhance() of the public API, through `files`, which must outlive it.
Report enhance_through(FileCalls& files, const Options& options, Observer* observer = nullptr,
                       std::stop_token stop = {});

/// The same with a network that may have been loaded for the job before.
Report enhance_with(ModelShelf& models, FileCalls& files, const Options& options, Observer* observer = nullptr,
                    std::stop_token stop = {});

}   // namespace millstream
