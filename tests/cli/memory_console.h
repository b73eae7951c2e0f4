// A Console that keeps what is written to it.
#pragma once

#include <string>

#include "cli/console.h"

namespace millstream {

class MemoryConsole : public Console {
public:
    void out(std::string_view text) override { out_text += text; }
    void err(std::string_view text) override { err_text += text; }
    [[nodiscard]] bool err_is_terminal() const override { return terminal; }
    [[nodiscard]] int err_width() const override { return 80; }
    [[nodiscard]] bool colour() const override { return false; }

    bool terminal = false;
    std::string out_text;
    std::string err_text;
};

}   // namespace millstream
