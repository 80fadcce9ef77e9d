#!/usr/bin/env bash
# Makes the environments of the programs whose files `make test-programs` imports and exports, each apart from .venv:
# lm-evaluation-harness with datasets, and Inspect with what alignbench itself needs. Apart, because Inspect wants older
# versions of packages that .venv has. They lie in the cache folder, so that they outlast .venv; one is made again when its
# file of versions in tools/programs/ changes. Prints the folder that holds them. They take 0.9 GB.
#
# PYTHON  the interpreter to use, 3.11 or newer; by default that of .venv
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME

say() { printf 'programs: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

python=${PYTHON:-.venv/bin/python}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignbench/programs
mkdir -p "$cache"

make_environment() { # name of a file in tools/programs/
    local pins=tools/programs/$1.txt folder=$cache/$1 started=$SECONDS
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
    for name in lm-eval inspect; do make_environment "$name"; done
) 9>"$cache/.lock"
echo "$cache"
