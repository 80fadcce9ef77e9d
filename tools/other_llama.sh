#!/usr/bin/env bash
# Puts a second build of llama.cpp into .venv/llama-other, whose arithmetic is one step simpler than that of .venv: without
# AVX-512 where this CPU has it, else without AVX2 and FMA. The tests that run models have to pass on both, because what
# a model says differs between them. LLAMA_CPP_LIB_PATH=.venv/llama-other/llama_cpp/lib makes Python load it.
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME CMAKE_ARGS

venv=.venv
other=$venv/llama-other
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
. tools/llama.sh

simpler_flags() {
    local flags='-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF'
    if ! has_cpu avx512f avx512cd avx512bw avx512dq avx512vl; then
        flags+=' -DGGML_AVX2=OFF -DGGML_FMA=OFF -DGGML_BMI2=OFF'
    fi
    echo "$flags"
}

flags=$(simpler_flags)
folder=$(llama_folder "$flags")
if [ "$(cat $other/.build 2>/dev/null)" = "${folder##*/}" ]; then exit; fi

work=$(mktemp -d)
export TMPDIR=$work
trap 'rm -rf "$work"' EXIT
if ! compgen -G "$folder/*.whl" >/dev/null; then
    find_compilers
    say 'compiling llama.cpp a second time, with simpler arithmetic for the tests: 1 to 5 minutes on 2 cores'
    say "flags of llama.cpp: $flags"
    compile_llama "$flags" "$folder"
fi
rm -rf $other
$venv/bin/python -m pip install -qq --no-deps --target "$work/other" "$folder"/*.whl
mv "$work/other" $other
echo "${folder##*/}" > $other/.build
