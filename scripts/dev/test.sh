# shellcheck shell=bash
# ./dev test: C++ tests of the release build, those of the rooms that read untrusted input once more under the address
# and undefined-behaviour sanitizers, a minute of fuzzing for each parser, and the end-to-end tests in Python. One
# compilation of everything is optimised and one is sanitized: two cores have both in minutes.

# Rooms whose tests run under sanitizers: those that read what others wrote. With --full also those that only compute.
sanitized_rooms=(base picture media frame model verify config cli)
more_sanitized_rooms=(enhance motion temporal resource pipeline)

run_tests() {
    local full=()
    case "${1:-}" in
        "") ;;
        --full)
            full=(--full)
            sanitized_rooms+=("${more_sanitized_rooms[@]}")
            ;;
        *) die "test: unknown option \"$1\" (there is --full)" ;;
    esac
    setup
    compile release
    local fuzzers
    mapfile -t fuzzers < <(fuzz_targets)
    compile asan millstream "${sanitized_rooms[@]/%/_tests}" "${fuzzers[@]}"

    mkdir -p build/test-logs
    local failed=()
    say "C++ tests"
    run_logged ctest ctest --test-dir build/release -j "$(nproc)" --output-on-failure --timeout 900 --no-tests=error ||
        failed+=("C++ tests")
    say "C++ tests under sanitizers"
    sanitizer_settings run_logged ctest-asan ctest --test-dir build/asan -j "$(nproc)" --output-on-failure \
        --timeout 900 --no-tests=error -R "^($(IFS='|' && echo "${sanitized_rooms[*]}"))\$" ||
        failed+=("C++ tests under sanitizers")
    say "Fuzzing"
    rerun_fuzzers 60 "${fuzzers[@]}" || failed+=("fuzzing")
    say "End-to-end tests"
    MILLSTREAM_BIN=$PWD/build/release/millstream MILLSTREAM_ASAN_BIN=$PWD/build/asan/millstream \
        sanitizer_settings run_logged pytest .venv/bin/python -m pytest tests -n "$(nproc)" --dist loadfile "${full[@]}" ||
        failed+=("end-to-end tests")

    say "Summary"
    summary ctest "C++ tests"
    summary ctest-asan "C++ tests under sanitizers"
    echo "Fuzzing:"
    fuzz_summaries "${fuzzers[@]}"
    summary pytest "End-to-end tests"
    ((${#failed[@]} == 0)) || die "failed: $(printf "%s; " "${failed[@]}")"
}

# run_logged NAME COMMAND…: shown as it comes and kept in build/test-logs/NAME.log.
run_logged() {
    local name=$1
    shift
    "$@" 2>&1 | tee "build/test-logs/$name.log"
}

# Leaks are looked for too. What torch and OpenVINO keep until the end of the process is theirs: tests/lsan.supp.
# TBB, which OpenVINO brings, otherwise loads a library in a way (RTLD_DEEPBIND) that sanitizers end the process for.
sanitizer_settings() {
    TBB_ENABLE_SANITIZERS=1 \
    ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0 \
    LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0 \
    UBSAN_OPTIONS=print_stacktrace=1 "$@"
}

# What failed and why, which is far up in the log by now, and the runner's own closing lines.
summary() {
    local log=build/test-logs/$1.log
    printf '%s:\n' "$2"
    case "$1" in
        ctest*)
            awk '/: Failure$/ { shown = 1 } shown { print } /^\[  FAILED  \]/ { shown = 0 }' "$log" | head -n 60 || true
            sed -n '/tests passed,/,$p' "$log" | grep -v -e '^$' -e '^Total Test time' -e '^Errors while' || true
            ;;
        *) grep -E '^(FAILED|ERROR|SKIPPED)' "$log" || true; tail -n 1 "$log" ;;
    esac
}
