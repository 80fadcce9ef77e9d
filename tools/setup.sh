#!/usr/bin/env bash
# Makes .venv and installs alignbench with everything it can use, at the versions of constraints.txt.
#
# Only a step whose inputs changed is done again. llama-cpp-python is installed in a step of its own: it is compiled
# here, and pip would hand back any wheel of it that it had compiled before, whatever the build flags were. The wheels
# are therefore kept in a cache of our own, in which the flags are a part of the key.
#
# PYTHON      the interpreter to use; by default the first that is new enough
# CMAKE_ARGS  further flags for llama.cpp; those below win
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME

venv=.venv
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if new_enough "$name"; then echo "$name"; return; fi
    done
    if [ -n "${PYTHON:-}" ]; then die "PYTHON=$PYTHON is no Python 3.11 or newer that runs here."; fi
    die 'needs Python 3.11 or newer, found none. Install one, or name it: make run PYTHON=/path/to/python3'
}

make_venv() {
    if [ -x $venv/bin/python ] && new_enough $venv/bin/python && $venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    rm -rf $venv
    "$python" -m venv $venv || die "$python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)."
}

has_cpu() { # names of /proc/cpuinfo, all of which this CPU has to have
    local have name
    have=" $(sed -n 's/^flags[[:space:]]*: //p;T;q' /proc/cpuinfo 2>/dev/null) "
    for name; do [[ $have == *" $name "* ]] || return 1; done
}

llama_flags() {
    # Native code dies with SIGSEGV on CPUs with AMX (llama.cpp issue 20824), so the rest of what makes it quick is named.
    local flags='-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF' capability
    if has_cpu avx512f avx512cd avx512bw avx512dq avx512vl; then
        flags+=' -DGGML_AVX512=ON'
        if has_cpu avx512vbmi; then flags+=' -DGGML_AVX512_VBMI=ON'; fi
        if has_cpu avx512_vnni; then flags+=' -DGGML_AVX512_VNNI=ON'; fi
        if has_cpu avx512_bf16; then flags+=' -DGGML_AVX512_BF16=ON'; fi
    fi
    if command -v nvcc >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
        flags+=' -DGGML_CUDA=ON'
        capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | sed -nE 's/^([0-9]+)\.([0-9]+)$/\1\2/p' | sort -u | paste -sd ';') || true
        # Without this, code for every GPU there is would be compiled, which takes many times as long.
        if [ -n "$capability" ]; then flags+=" -DCMAKE_CUDA_ARCHITECTURES=$capability"; fi
    fi
    echo "${CMAKE_ARGS:+$CMAKE_ARGS }$flags"
}

compile_llama() { # version, flags, folder for the wheel
    local missing=() tool
    command -v cmake >/dev/null || missing+=(cmake)
    command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || missing+=('a C++ compiler')
    for tool in "${missing[@]}"; do say "compiling llama.cpp needs $tool"; done
    if [ ${#missing[@]} -gt 0 ]; then die 'install what is missing (on Debian and Ubuntu: apt install cmake g++) and try again.'; fi

    say "Compiling llama.cpp: 4 to 9 minutes on 2 cores, once. Flags: $2"
    local started=$SECONDS
    rm -rf "$3.part"
    mkdir -p "$3.part"
    CMAKE_ARGS=$2 CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) $venv/bin/python -m pip wheel -qq --no-deps --no-cache-dir \
        --no-binary llama-cpp-python --wheel-dir "$3.part" "llama-cpp-python==$1"
    rm -rf "$3"
    mv "$3.part" "$3"
    say "compiled in $((SECONDS - started)) s; kept in $3"
}

install_llama() {
    local version flags installed folder
    version=$(sed -n 's/^llama[-_]cpp[-_]python==//Ip' constraints.txt)
    flags=$(llama_flags)
    installed=$($venv/bin/python -c "from importlib.metadata import version; print(version('llama-cpp-python'))" 2>/dev/null) || true
    if [ "$installed" = "$version" ] && [ "$(cat $venv/.llama-build 2>/dev/null)" = "$version $flags" ]; then return; fi

    folder=$($venv/bin/python - "$version" "$flags" <<'PYTHON'
import hashlib, os, pathlib, platform, sys
version, flags = sys.argv[1:]
build = "-".join([sys.implementation.cache_tag, platform.machine(), *filter(None, platform.libc_ver())])
cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
name = f"llama-cpp-python-{version}-{build}-{hashlib.sha256(flags.encode()).hexdigest()[:12]}"
print(pathlib.Path(cache, "alignbench", "wheels", name))
PYTHON
    )
    compgen -G "$folder/*.whl" >/dev/null || compile_llama "$version" "$flags" "$folder"
    $venv/bin/python -m pip install -qq --no-deps --force-reinstall "$folder"/*.whl
    echo "$version $flags" > $venv/.llama-build
}

make_venv
install_llama
say "installing what constraints.txt pins: models and torch are a download of a few hundred MB, more where torch comes with CUDA"
$venv/bin/python -m pip install -qq -c constraints.txt -e '.[all,dev]'
touch $venv/.ready
