#!/bin/sh
# Make .venv: $PYTHON, else the newest Python from 3.11 on, the dependencies of requirements.lock with their hashes checked, and
# Moorage itself, editable. With uv when it is there, otherwise with the venv and pip that come with Python.
# Called by the Makefile; run again, it brings an existing .venv up to date.
set -eu
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }

fail() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

can_make_environments() {
    command -v uv >/dev/null 2>&1 || "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

find_python() {
    without_venv=
    for name in ${PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3; do
        is_new_enough "$name" || continue
        if can_make_environments "$name"; then
            python=$name
            return
        fi
        without_venv=${without_venv:-$name}
    done
    [ -z "$without_venv" ] ||
        fail "$without_venv cannot make environments. On Debian and Ubuntu: apt-get install $without_venv-venv"
    fail "Moorage needs Python 3.11 or newer. On Debian 12 and Ubuntu 24.04 or later: apt-get install python3 python3-venv"
}

make_environment() {
    say "Making .venv with $("$python" --version)"
    rm -rf .venv
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$python" .venv
    else
        "$python" -m venv .venv
    fi
}

install_with_uv() {
    say "Installing the locked dependencies with uv"
    uv pip install --quiet --python .venv/bin/python --compile-bytecode --require-hashes -r requirements.lock
    uv pip install --quiet --python .venv/bin/python --no-deps --editable .
}

install_with_pip() {
    say "Installing the locked dependencies with pip (a minute or so the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
}

if ! is_new_enough .venv/bin/python; then
    find_python
    make_environment
fi
if command -v uv >/dev/null 2>&1; then
    install_with_uv
else
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    install_with_pip
fi
.venv/bin/python -m compileall -q src  # so that the first start is not the one that compiles
say "Ready: $(.venv/bin/moorage --version) in .venv"
