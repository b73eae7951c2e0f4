#include "model/executor_error.h"

#include <c10/util/Exception.h>

#include <array>
#include <new>
#include <string_view>

#include "millstream/error.h"

namespace millstream {
namespace {

// Neither library has a type for it everywhere: Torch's CPU allocator and OpenVINO's plugins only say so in words
// (c10/core/impl/alloc_cpu.cpp; oneDNN's dnnl::error "could not create a memory object", "out_of_memory"; status codes
// of cuBLAS, cuDNN and OpenCL by their names).
bool says_out_of_memory(std::string_view text) {
    constexpr std::array<std::string_view, 11> words{"not enough memory",
                                                     "out of memory",
                                                     "out_of_memory",
                                                     "bad_alloc",
                                                     "Cannot allocate",
                                                     "annot allocate memory",
                                                     "could not create a memory",
                                                     "failed to allocate",
                                                     "can't allocate memory",
                                                     "ALLOC_FAILED",
                                                     "CL_OUT_OF_"};
    for (const std::string_view word : words) {
        if (text.find(word) != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

// Torch appends a stack of its own functions: the first line says what happened.
std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

}   // namespace

std::optional<std::string> lack_of_memory(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error&) {
        return std::nullopt;
    } catch (const std::bad_alloc& error) {
        return error.what();
    } catch (const c10::OutOfMemoryError& error) {
        return first_line(error.what_without_backtrace());
    } catch (const c10::Error& error) {
        const std::string text = first_line(error.what_without_backtrace());
        return says_out_of_memory(text) ? std::optional(text) : std::nullopt;
    } catch (const std::exception& error) {
        return says_out_of_memory(error.what()) ? std::optional(first_line(error.what())) : std::nullopt;
    } catch (...) {
        return std::nullopt;
    }
}

void throw_executor_error(const std::exception_ptr& failure, const std::string& doing, const std::string& subject) {
    if (const auto lack = lack_of_memory(failure)) {
        throw Error(ErrorKind::resource,
                    {doing, subject, "there is not enough memory: " + *lack, "Use a smaller --tile or --batch"});
    }
    try {
        std::rethrow_exception(failure);
    } catch (const Error&) {
        throw;
    } catch (const c10::Error& error) {
        throw Error(ErrorKind::model, {doing, subject, first_line(error.what_without_backtrace()), {}});
    } catch (const std::exception& error) {
        throw Error(ErrorKind::model, {doing, subject, error.what(), {}});
    }
}

}   // namespace millstream
