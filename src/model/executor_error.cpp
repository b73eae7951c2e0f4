#include "model/executor_error.h"

#include <c10/util/Exception.h>

#include <array>
#include <new>
#include <string_view>

#include "millstream/error.h"

namespace millstream {
namespace {

// Neither library has a type for it everywhere: Torch's CPU allocator and OpenVINO's plugins only say so in words
// (c10/core/impl/alloc_cpu.cpp; oneDNN's dnnl::error "could not create a memory object", "out_of_memory").
bool says_out_of_memory(std::string_view text) {
    constexpr std::array<std::string_view, 8> words{"not enough memory",
                                                    "out of memory",
                                                    "out_of_memory",
                                                    "bad_alloc",
                                                    "Cannot allocate",
                                                    "annot allocate memory",
                                                    "could not create a memory",
                                                    "failed to allocate"};
    for (const std::string_view word : words) {
        if (text.find(word) != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

[[noreturn]] void out_of_memory(const std::string& doing, const std::string& subject, const std::string& text) {
    throw Error(ErrorKind::resource,
                {doing, subject, "there is not enough memory: " + text, "Use a smaller --tile or --batch"});
}

// Torch appends a stack of its own functions: the first line says what happened.
std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

}   // namespace

void throw_executor_error(const std::exception_ptr& failure, const std::string& doing, const std::string& subject) {
    try {
        std::rethrow_exception(failure);
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc& error) {
        out_of_memory(doing, subject, error.what());
    } catch (const c10::OutOfMemoryError& error) {
        out_of_memory(doing, subject, first_line(error.what_without_backtrace()));
    } catch (const c10::Error& error) {
        const std::string text = first_line(error.what_without_backtrace());
        if (says_out_of_memory(text)) {
            out_of_memory(doing, subject, text);
        }
        throw Error(ErrorKind::model, {doing, subject, text, {}});
    } catch (const std::exception& error) {
        if (says_out_of_memory(error.what())) {
            out_of_memory(doing, subject, first_line(error.what()));
        }
        throw Error(ErrorKind::model, {doing, subject, error.what(), {}});
    }
}

}   // namespace millstream
