# shellcheck shell=bash
# ./dev fuzz: libFuzzer over what reads untrusted bytes. A target is fuzz/TARGET.cpp, its libFuzzer options
# fuzz/TARGET.options, a dictionary fuzz/TARGET.dict. Built with the tests under sanitizers. Everything made lies in
# build/fuzz: seeds, corpus (what was found worth keeping, for the next run), crashes, logs.

fuzz() {
    local seconds=60 targets=() file
    while (($#)); do
        case "$1" in
            --seconds)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "fuzz: --seconds takes a whole number"
                seconds=$2
                shift
                ;;
            -*) die "fuzz: unknown option \"$1\" (there is --seconds)" ;;
            *)
                [[ -f fuzz/$1.cpp ]] || die "fuzz: there is no target \"$1\""
                targets+=("$1")
                ;;
        esac
        shift
    done
    if ((${#targets[@]} == 0)); then
        mapfile -t targets < <(fuzz_targets)
    fi
    setup
    compile asan "${targets[@]}"
    local failed=0
    run_fuzzers "$seconds" "${targets[@]}" || failed=1
    say "Fuzzing: summary"
    fuzz_summaries "${targets[@]}"
    ((failed == 0)) || die "fuzz: see build/fuzz/logs and build/fuzz/crashes"
}

fuzz_targets() {
    local file
    for file in fuzz/*.cpp; do
        basename "$file" .cpp
    done
}

# run_fuzzers SECONDS TARGET…: one a core, with other inputs every time. Fails where a target did.
run_fuzzers() {
    local seconds=$1
    shift
    each_fuzzer build/fuzz/corpus "-max_total_time=$seconds -runs=-1" "$@"
}

# rerun_fuzzers SECONDS TARGET…: from the same seed every time, with as many inputs as fuzz/TARGET.options says, fewer
# where the time ends before: a fast machine is not fed more than a slow one, and new faults are ./dev fuzz's to find.
rerun_fuzzers() {
    local seconds=$1
    shift
    rm -rf build/fuzz/reruns
    each_fuzzer build/fuzz/reruns "-max_total_time=$seconds -seed=1" "$@"
}

# each_fuzzer CORPUS LIMITS TARGET…
each_fuzzer() {
    local corpus=$1 limits=$2 target
    shift 2
    make_seeds
    mkdir -p build/fuzz/crashes build/fuzz/logs
    rm -f build/fuzz/logs/*
    for target in "$@"; do
        while (($(jobs -rp | wc -l) >= $(nproc))); do
            wait -n || true
        done
        echo "$target ($limits)"
        { sanitizer_settings fuzz_target "$target" "$corpus" "$limits" || touch "build/fuzz/logs/$target.failed"; } \
            >"build/fuzz/logs/$target.log" 2>&1 &
    done
    wait
    [[ -z $(find build/fuzz/logs -name '*.failed') ]]
}

# Again only when the script that makes them has changed.
make_seeds() {
    local key
    key=$(sha256sum fuzz/make_seeds.py)
    [[ -f build/fuzz/seeds/.made && $(<build/fuzz/seeds/.made) == "$key" ]] && return
    say "Making seeds"
    rm -rf build/fuzz/seeds
    .venv/bin/python fuzz/make_seeds.py build/fuzz/seeds
    printf '%s\n' "$key" >build/fuzz/seeds/.made
}

fuzz_target() {
    local target=$1 corpus=$2 options=() limits
    read -ra limits <<<"$3"
    [[ -f fuzz/$target.options ]] && mapfile -t options <"fuzz/$target.options"
    [[ -f fuzz/$target.dict ]] && options+=("-dict=fuzz/$target.dict")
    mkdir -p "$corpus/$target" "build/fuzz/seeds/$target"
    "build/asan/$target" "${options[@]}" "${limits[@]}" -print_final_stats=1 \
        -artifact_prefix="build/fuzz/crashes/$target-" "$corpus/$target" "build/fuzz/seeds/$target"
}

# A line a target, and for a crash what it was and where the input lies.
fuzz_summaries() {
    local target
    for target in "$@"; do
        fuzz_summary "$target"
    done
}

fuzz_summary() {
    local log=build/fuzz/logs/$1.log executions units found
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    units=$(sed -n 's/^stat::new_units_added: *//p' "$log")
    found=$(grep -cE '^(SUMMARY:|artifact_prefix=)' "$log" || true)
    printf '%s: %s executions, %s new units, %s crashes\n' "$1" "${executions:-0}" "${units:-0}" "$((found > 0))"
    grep -E '^SUMMARY:|Test unit written to|runtime error:|^not an? ' "$log" | head -n 5 || true
}
