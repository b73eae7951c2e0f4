// The longer texts of --help.
#pragma once

namespace millstream {

extern const char* const kAboutText;           ///< what the program does
extern const char* const kExamplesText;        ///< below the list of commands, with the exit codes
extern const char* const kEnhanceFooterText;   ///< below the options of `enhance`
extern const char* const kInspectFooterText;
extern const char* const kVerifyFooterText;

}   // namespace millstream
