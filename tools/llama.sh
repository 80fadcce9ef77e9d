# Functions that compile llama-cpp-python; tools/setup.sh reads them, and sets venv, work, say and die.
#
# pip would hand back any wheel of it that it had compiled before, whatever the build flags were. The wheels are therefore
# kept in a cache of our own, in which all that is built is a part of the key.

# llama-cpp-python turns llama.cpp's `common` on, which is half of the compile and is not loaded by Python: the extension
# needs libllama and ggml. cmake reads these lines after project("llama.cpp"), where a variable hides the cached option.
# Were the option to go by another name one day, `common` would be compiled again and all else stay the same.
llama_without_common='set(LLAMA_BUILD_COMMON OFF)'

llama_version() { sed -n 's/^llama[-_]cpp[-_]python==//Ip' constraints.txt; }

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

llama_folder() { # flags; writes the folder that holds the wheel made with them, or will hold it
    $venv/bin/python - "$(llama_version)" "$1 $llama_without_common" <<'PYTHON'
import hashlib, os, pathlib, platform, sys
version, built = sys.argv[1:]
build = "-".join([sys.implementation.cache_tag, platform.machine(), *filter(None, platform.libc_ver())])
key = hashlib.sha256(built.encode()).hexdigest()[:12]
cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
print(pathlib.Path(cache, "alignbench", "wheels", f"llama-cpp-python-{version}-{build}-{key}"))
PYTHON
}

find_compilers() {
    local missing=() tool
    command -v cmake >/dev/null || missing+=(cmake)
    command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || missing+=('a C++ compiler')
    for tool in "${missing[@]}"; do say "compiling llama.cpp needs $tool"; done
    if [ ${#missing[@]} -gt 0 ]; then die 'install what is missing (on Debian and Ubuntu: apt install cmake g++) and try again.'; fi
}

compile_llama() { # flags, folder for the wheel
    local started=$SECONDS wheel
    echo "$llama_without_common" > "$work/llama.cmake"
    CMAKE_ARGS="$1 -DCMAKE_PROJECT_llama.cpp_INCLUDE=$work/llama.cmake" CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) \
        SKBUILD_WHEEL_EXCLUDE='/lib;/include' \
        $venv/bin/python -m pip wheel -qq --no-deps --no-cache-dir --no-binary llama-cpp-python --wheel-dir "$work/wheel" \
        "llama-cpp-python==$(llama_version)" || die 'llama.cpp could not be compiled; what pip says is above.'
    wheel=$(basename "$work"/wheel/*.whl)
    mkdir -p "$2"
    cp "$work/wheel/$wheel" "$2/$$.part"
    mv "$2/$$.part" "$2/$wheel"
    say "llama.cpp is compiled, in $((SECONDS - started)) s; kept in $2"
}
