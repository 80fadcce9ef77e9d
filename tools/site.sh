#!/usr/bin/env bash
# Builds the site of the documentation into build/docs/site, in an environment of its own that is made once (150 MB).
# It reads docstrings from the source and imports none of alignbench, so that it needs neither .venv nor models.
#
# PYTHON  the interpreter to use, 3.11 or newer; by default that of .venv, else python3
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/environments.sh

cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignbench
mkdir -p "$cache"
(
    flock 9 # two that begin together do not write into each other's folder
    make_environment "$cache/site" tools/site/pins.txt
) 9>"$cache/.site-lock"
"$cache/site/bin/python" tools/site/build.py
