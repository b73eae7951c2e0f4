// What LeakSanitizer is not to report: libx265 3.5 does not free a few KB of its parameters and filters per encoder.
extern "C" const char* __lsan_default_suppressions();   // NOLINT: the name is LeakSanitizer's

extern "C" const char* __lsan_default_suppressions() {
    return "leak:libx265.so\n";
}
