# shellcheck shell=bash
# Words shared by the parts of ./dev, which sources them all; the working directory is the checkout's root.

say() {
    if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
        printf '\033[1m==> %s\033[0m\n' "$*"
    else
        printf '==> %s\n' "$*"
    fi
}

die() {
    printf './dev: %s\n' "$*" >&2
    exit 1
}

# up_to_date NAME KEY: whether mark NAME KEY was the last thing said of NAME. The marks live in .venv, so that a new
# .venv starts without any.
up_to_date() { [[ -f .venv/.millstream/$1 && $(<".venv/.millstream/$1") == "$2" ]]; }
mark() {
    mkdir -p .venv/.millstream
    printf '%s\n' "$2" >".venv/.millstream/$1"
}

# Compilations that fit at once: one a core and one more, but 2 GiB each (Torch's headers are large).
parallel_jobs() {
    local cores available
    cores=$(nproc)
    available=$(awk '/^MemAvailable/ { print int($2 / 2097152) }' /proc/meminfo)
    echo $((available < 1 ? 1 : available < cores + 1 ? available : cores + 1))
}

# Our sources of the given endings, tracked or new, not ignored, without what was deleted.
sources() {
    git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
        [[ -f $file && ! -L $file ]] && printf '%s\n' "$file"
    done
}
