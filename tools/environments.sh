# Environments apart from .venv, in the cache folder, so that they outlast .venv. To be sourced, from the root.
#
# PYTHON  the interpreter to use, 3.11 or newer; by default that of .venv, else python3
unset MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME

if [ -x .venv/bin/python ]; then python=${PYTHON:-.venv/bin/python}; else python=${PYTHON:-python3}; fi

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
die() { say "$*"; exit 1; }

make_environment() { # a folder; a file of versions, whose change makes it anew
    local folder=$1 pins=$2 started=$SECONDS
    if cmp -s "$pins" "$folder/.made-of" && "$folder/bin/python" -c '' 2>/dev/null; then return; fi
    say "making $folder"
    rm -rf "$folder"
    "$python" -m venv "$folder" || die "$python cannot make virtual environments."
    # Without dependencies: all that is needed is named, and what was left out would come back.
    "$folder/bin/python" -m pip install -qq --no-deps -r "$pins" || die "$pins could not be installed; what pip says is above."
    cp "$pins" "$folder/.made-of"
    say "$folder is there, in $((SECONDS - started)) s"
}
