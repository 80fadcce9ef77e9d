#!/usr/bin/env bash
# Installs the built wheel as a new user would, with what is given (uv or pipx): an empty home folder, no compiler on the
# PATH, no extras. Then opens the app, scores a file and asks doctor. Needs a network, for the packages.
#
# tools/try_install.sh uv dist/alignbench-0.1.0-py3-none-any.whl
# tools/try_install.sh pipx dist/alignbench-0.1.0-py3-none-any.whl
#
# PYTHON  the interpreter to install for; by default python3
set -euo pipefail

say() { printf 'try-install: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ $# = 2 ] && [ -f "$2" ] || die 'expected uv or pipx, and a wheel.'
tool=$1
wheel=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
python=$(command -v "${PYTHON:-python3}") || die "there is no ${PYTHON:-python3}."
installer=$(command -v "$tool") || die "there is no $tool."

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin" "$home/work"
for program in bash sh env ls cat cp mv rm mkdir mktemp uname dirname basename sed grep tr head tail getconf; do
    if found=$(command -v "$program") && [ -x "$found" ]; then ln -sf "$found" "$home/bin/$program"; fi
done
ln -sf "$installer" "$home/bin/$tool"
for compiler in cc c++ gcc g++ clang clang++ cmake; do
    if PATH=$home/bin command -v "$compiler" >/dev/null; then die "$compiler is on the PATH."; fi
done

clean() { # a command, with nothing of this shell but what reaches the network
    env -i HOME="$home" PATH="$home/.local/bin:$home/bin" TERM=xterm-256color LANG=C.UTF-8 \
        ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${PIP_CERT:+PIP_CERT="$PIP_CERT"} \
        ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${HTTP_PROXY:+HTTP_PROXY="$HTTP_PROXY"} ${NO_PROXY:+NO_PROXY="$NO_PROXY"} \
        "$@"
}

cd "$home/work"
started=$SECONDS
case $tool in
    uv) clean uv tool install --quiet --python "$python" "$wheel" ;;
    pipx) clean pipx install --quiet --python "$python" "$wheel" ;;
    *) die "$tool is neither uv nor pipx." ;;
esac
say "installed with $tool in $((SECONDS - started)) s"

clean alignbench --version
{
    for model in a b; do
        for text in 'People write to remember.' 'It helps to think about the day.'; do
            printf '{"prompt_id": "diaries", "prompt": "Why do people keep diaries?", "condition": "%s", "text": "%s"}\n' "$model" "$text"
        done
    done
} > samples.jsonl
clean alignbench score --file samples.jsonl --reference a --json | grep -q '"within"' || die 'score printed no scores.'
clean alignbench import jsonl samples.jsonl
clean alignbench report 1 -o report.md
[ -s report.md ] || die 'there is no report.'

# Without a model of its own nothing can be drawn, which doctor says with 1, and every extra with its install line.
doctor=$(clean alignbench doctor) && die 'doctor found a model where there is none.'
case $tool in uv) line="uv tool install 'alignbench[" ;; pipx) line="pipx inject alignbench 'alignbench[" ;; esac
for extra in llama demo transformers embeddings scores pandas report ray hub parquet datasets inspect serve; do
    grep -qF "$line$extra]" <<<"$doctor" || die "doctor does not say how to install $extra: $doctor"
done

"$python" - "$home" <<'PYTHON' || die 'the app did not open.'
import os, pty, re, select, sys, time
home = sys.argv[1]
environment = {"HOME": home, "PATH": f"{home}/.local/bin:{home}/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
pid, terminal = pty.fork()
if pid == 0:
    os.environ.clear()
    os.environ.update(environment, COLUMNS="120", LINES="36")
    os.execve(f"{home}/.local/bin/alignbench", ["alignbench"], dict(os.environ))
drawn, end = b"", time.monotonic() + 120
wanted = ["This model cannot be loaded here", "openai:http://HOST:PORT/v1#NAME"]
while time.monotonic() < end:
    if select.select([terminal], [], [], 0.2)[0]:
        try:
            drawn += os.read(terminal, 65536)
        except OSError:
            break
    text = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", drawn.decode("utf-8", "replace"))
    if all(words in text for words in wanted):
        os.write(terminal, b"\x11")  # Ctrl+Q
        while time.monotonic() < end:
            try:
                if select.select([terminal], [], [], 0.2)[0] and not os.read(terminal, 65536):
                    break
            except OSError:
                break
        _, status = os.waitpid(pid, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
print(text[-2000:])
sys.exit(1)
PYTHON
say "the app opens, scores are printed, doctor says what is missing: all of it in $((SECONDS - started)) s"
