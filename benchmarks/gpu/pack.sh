#!/usr/bin/env bash
# Puts into benchmarks/gpu/carried what run.sh needs on a machine that has Python 3.12, torch, cmake and nvcc and no network:
# wheels at the versions of constraints.txt, and the sources of llama.cpp. Under 64 MiB. Needs a network and .venv.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=.venv/bin/python
carried=benchmarks/gpu/carried
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Not torch, nor what comes with it.
packages='accelerate anyio certifi diskcache gguf h11 hf-xet httpcore2 httpx2 huggingface_hub idna numpy packaging platformdirs
    psutil pyyaml regex rich safetensors sqlite-utils tokenizers tqdm transformers truststore typer'
pattern=$(echo $packages | sed 's/[-_]/[-_]/g; s/ /|/g')
grep -iE "^($pattern)==" constraints.txt > "$work/wanted.txt"

rm -rf $carried
mkdir -p $carried/wheels
$python -m pip download -qq --no-deps --only-binary=:all: --python-version 3.12 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    -d $carried/wheels -r "$work/wanted.txt"

version=$(sed -n 's/^llama[-_]cpp[-_]python==//Ip' constraints.txt)
$python -m pip download -qq --no-deps --no-binary llama-cpp-python -d "$work" "llama-cpp-python==$version"
tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work"
cd "$work"/llama_cpp_python-*/
kept='llama_cpp vendor/llama.cpp/CMakeLists.txt vendor/llama.cpp/LICENSE vendor/llama.cpp/cmake vendor/llama.cpp/include vendor/llama.cpp/src vendor/llama.cpp/vendor
    vendor/llama.cpp/ggml/CMakeLists.txt vendor/llama.cpp/ggml/cmake vendor/llama.cpp/ggml/include vendor/llama.cpp/ggml/src/*.*
    vendor/llama.cpp/ggml/src/ggml-cpu vendor/llama.cpp/ggml/src/ggml-cuda'
tar -cJf "$OLDPWD/$carried/llama.tar.xz" --exclude='*.pyc' $kept
cd "$OLDPWD"
du -sh $carried
