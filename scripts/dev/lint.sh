# shellcheck shell=bash
# ./dev lint and ./dev format.

python_roots() {
    local root
    for root in python examples tests bench fuzz scripts; do
        [[ -n $(sources "$root/*.py") ]] && echo "$root"
    done
}

format_sources() {
    setup
    sources '*.cpp' '*.h' | xargs -d '\n' -r clang-format -i
    local roots
    mapfile -t roots < <(python_roots)
    .venv/bin/ruff format "${roots[@]}"
    .venv/bin/ruff check --fix "${roots[@]}"
}

lint() {
    local full=${1:-}
    setup
    local failed=() check
    for check in lint_format lint_shell lint_python lint_text lint_tidy; do
        "$check" "$full" || failed+=("${check#lint_}")
    done
    ((${#failed[@]} == 0)) || die "lint failed: ${failed[*]}"
    say "Lint: nothing to say"
}

lint_format() {
    say "clang-format"
    sources '*.cpp' '*.h' | xargs -d '\n' -r clang-format --dry-run -Werror
}

lint_shell() {
    say "shellcheck"
    {
        echo dev
        echo .ci/run
        sources '*.sh'
    } | xargs -d '\n' shellcheck
}

lint_python() {
    say "ruff, mypy"
    local roots
    mapfile -t roots < <(python_roots)
    .venv/bin/ruff check "${roots[@]}" &&
        .venv/bin/ruff format --check "${roots[@]}" &&
        .venv/bin/mypy "${roots[@]}"
}

# Nothing that is only true on one machine may be committed. (The brackets keep this file from finding itself.)
lint_text() {
    say "committed text"
    local pattern='/wor[k]/|/roo[t]/|/hom[e]/[a-z]|[Ii]ssue [#0-9]|<<<<<<[<] |>>>>>>[>] '
    if git grep -nIE --untracked "$pattern" -- ':!LICENSE'; then
        echo "These lines name a machine's own folders or are left from a merge." >&2
        return 1
    fi
}

# clang-tidy over src/ and examples/, two files at a time. A file is checked again when it, one of our headers, the
# settings or the checker changed. Torch's headers cost half a minute a file: the rooms that read them are checked by
# `./dev lint --full` only, so that CI stays short.
torch_rooms='^(src/(frame|model|motion|enhance|temporal|pipeline)/|examples/filter_with_torch)'
lint_tidy() {
    say "clang-tidy"
    # A database of its own: Clang cannot read the headers that GCC precompiled.
    cmake --preset release -B build/lint/database -D CMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
    local common
    common=$({
        clang-tidy --version
        cat .clang-tidy CMakePresets.json requirements.txt
        sources '*.h' '*CMakeLists.txt' '*.cmake' | xargs -d '\n' cat
    } | sha256sum)
    local file stamp todo=()
    while IFS= read -r file; do
        stamp=build/lint/$( (echo "$common" && cat "$file") | sha256sum | cut -c1-32)
        [[ -f $stamp ]] || todo+=("$file" "$stamp")
    done < <(sources 'src/*.cpp' 'examples/*.cpp' | if [[ $1 == --full ]]; then cat; else grep -vE "$torch_rooms"; fi)
    echo "$((${#todo[@]} / 2)) files to check"
    ((${#todo[@]})) || return 0
    # shellcheck disable=SC2016 # the inner shell expands
    printf '%s\0' "${todo[@]}" | xargs -0 -n 2 -P "$(nproc)" bash -c '
        if found=$(clang-tidy --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-c99-extensions -p build/lint/database "$0" 2>/dev/null); then
            echo "  $0"
            touch "$1"
        else
            printf "%s\n" "$found"
            exit 1
        fi'
}
