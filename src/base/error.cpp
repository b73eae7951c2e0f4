#include "millstream/error.h"

#include <utility>

namespace millstream {
namespace {

std::string compose(const Error::Context& context) {
    std::string text = context.doing;
    if (!context.subject.empty()) {
        text += text.empty() ? context.subject : " (" + context.subject + ")";
    }
    if (!context.why.empty()) {
        text += text.empty() ? context.why : ": " + context.why;
    }
    if (!context.hint.empty()) {
        text += ". " + context.hint;
    }
    return text;
}

}   // namespace

Error::Error(ErrorKind kind, Context context)
    : std::runtime_error(compose(context)), kind_(kind), context_(std::move(context)) {}

}   // namespace millstream
