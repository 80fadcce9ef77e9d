#!/usr/bin/env bash
# Makes the environments of the programs whose files `make test-programs` imports and exports, each apart from .venv:
# lm-evaluation-harness with datasets, and Inspect with what alignbench itself needs. Apart, because Inspect wants older
# versions of packages that .venv has. They lie in the cache folder, so that they outlast .venv; one is made again when its
# file of versions in tools/programs/ changes. Prints the folder that holds them. They take 0.9 GB.
#
# PYTHON  the interpreter to use, 3.11 or newer; by default that of .venv
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/environments.sh

cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignbench/programs
mkdir -p "$cache"
(
    flock 9 # two that begin together do not write into each other's folder
    for name in lm-eval inspect; do make_environment "$cache/$name" "tools/programs/$name.txt"; done
) 9>"$cache/.lock"
echo "$cache"
