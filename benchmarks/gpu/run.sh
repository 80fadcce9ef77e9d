#!/usr/bin/env bash
# Checks and rates of the CUDA paths on a Linux machine with one GPU, in under 8 minutes and without a network:
#
#   benchmarks/gpu/run.sh                        on a GPU; results.json and results.md come to gpu-results/
#   benchmarks/gpu/run.sh --out /some/folder
#   benchmarks/gpu/run.sh --device cpu --tiny    whether the script runs, on any machine with .venv
#
# On a machine that has nothing of alignbench, benchmarks/gpu/pack.sh is run before, on one with a network: it puts into
# benchmarks/gpu/carried what is needed besides Python and torch, wheels and the sources of llama.cpp, which is compiled
# here for the one GPU that is there. PYTHON names the interpreter that has torch.
set -euo pipefail
cd "$(dirname "$0")/../.."
say() { printf 'gpu: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

carried=$PWD/benchmarks/gpu/carried
export PYTHONPATH=$PWD/src:$PWD/benchmarks PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1

if [ -x .venv/bin/python ]; then
    python=.venv/bin/python
else
    [ -d "$carried" ] || die 'there is neither .venv (make setup) nor benchmarks/gpu/carried (benchmarks/gpu/pack.sh).'
    venv=${TMPDIR:-/tmp}/alignbench-gpu
    "${PYTHON:-python3}" -m venv --system-site-packages "$venv"
    python=$venv/bin/python
    # What the interpreter sees is seen here too, also where it is one of an environment itself.
    "${PYTHON:-python3}" -c 'import site; print(*site.getsitepackages(), sep="\n")' > "$(echo "$venv"/lib/python3*/site-packages)/seen.pth"
    "$python" -c 'import torch' || die 'the interpreter has no torch; name another one: PYTHON=/path/to/python3'
    "$python" -m pip install -qq --no-index --no-deps --find-links "$carried/wheels" "$carried"/wheels/*.whl
    if [ -f "$carried/llama.tar.xz" ]; then
        started=$SECONDS
        sources=$venv/llama
        mkdir -p "$sources"
        tar -xJf "$carried/llama.tar.xz" -C "$sources"
        cuda=(-DGGML_CUDA=OFF)
        if command -v nvidia-smi >/dev/null; then
            capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
            cuda=(-DGGML_CUDA=ON -DGGML_CUDA_NO_VMM=ON "-DCMAKE_CUDA_ARCHITECTURES=$capability")
            toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
            if [ -z "$(find -L "$toolkit/include" "$toolkit/targets" -name cublas_v2.h 2>/dev/null | head -1)" ]; then
                # A toolkit without cuBLAS: torch has brought it.
                header=$("$python" - <<'PYTHON'
import pathlib, sys
found = (file for place in sys.path for file in pathlib.Path(place).glob("nvidia/*/include/cublas_v2.h"))
print(next(found, ""))
PYTHON
                )
                [ -n "$header" ] || die 'cublas_v2.h is neither in the CUDA toolkit nor among the packages of torch.'
                export CUDAFLAGS=-I${header%/*}
                for library in cublas cublasLt; do
                    cuda+=("-DCUDA_${library}_LIBRARY=$(echo "${header%/include/*}"/lib/lib$library.so.*)")
                done
            fi
        fi
        cmake -S "$sources/vendor/llama.cpp" -B "$sources/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
            -DGGML_NATIVE=OFF "${cuda[@]}" -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_COMMON=OFF \
            -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF >"$venv/cmake.log" 2>&1 || die "cmake failed: $venv/cmake.log"
        cmake --build "$sources/build" -j "$(nproc)" --target llama >>"$venv/cmake.log" 2>&1 \
            || { tail -30 "$venv/cmake.log" >&2; die 'llama.cpp could not be compiled.'; }
        export LLAMA_CPP_LIB_PATH=$sources/build/bin PYTHONPATH=$PYTHONPATH:$sources
        say "llama.cpp is compiled, in $((SECONDS - started)) s"
    fi
fi
exec "$python" benchmarks/gpu/measure.py "$@"
