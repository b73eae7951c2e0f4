#include "pipeline/shortage.h"

#include <exception>

#include "millstream/error.h"
#include "model/executor_error.h"

namespace millstream {

void throw_shortage(const std::string& doing, const std::string& subject) {
    if (const auto lack = lack_of_memory(std::current_exception())) {
        throw Error(ErrorKind::resource, {doing, subject, "there is not enough memory: " + *lack,
                                          "Close other programs, or use a smaller --max-memory: less is then done at a "
                                          "time"});
    }
    throw;
}

}   // namespace millstream
