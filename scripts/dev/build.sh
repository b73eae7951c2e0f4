# shellcheck shell=bash
# ./dev build, ./dev bench, ./dev clean.

# configure PRESET: CMake configures itself again when a CMakeLists.txt changes, but not when presets or .venv do.
configure() {
    local preset=$1 key
    key=$(cat CMakePresets.json .venv/.millstream/torch | sha256sum)
    if [[ -f build/$preset/build.ninja && -f build/$preset/.configured && $(<"build/$preset/.configured") == "$key" ]]; then
        return
    fi
    say "Configuring $preset"
    cmake --preset "$preset"
    printf '%s\n' "$key" >"build/$preset/.configured"
}

# compile PRESET [TARGET…]
compile() {
    local preset=$1
    shift
    configure "$preset"
    say "Building $preset${*:+: $*}"
    cmake --build "build/$preset" --parallel "$(parallel_jobs)" ${1:+--target "$@"}
}

build() {
    setup
    compile "$1"
}

# bench peers [ARGUMENTS]: against other programs, for docs/performance.md; else the figures of README.md.
bench() {
    local program=run.py
    if [[ ${1:-} == peers ]]; then
        program=performance.py
        shift
    fi
    [[ " $* " == *" --render "* ]] || build release
    .venv/bin/python "bench/$program" "$@"
}

clean() {
    say "Removing build/ and out/"
    rm -rf build out
    if [[ ${1:-} == --all ]]; then
        say "Removing .venv"
        rm -rf .venv # where it is a link, only the link
    fi
}
