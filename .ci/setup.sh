#!/usr/bin/env bash
# Makes .venv ready: `setup.sh demo` for the demo, `setup.sh checks` with the tools for style and types as well,
# `setup.sh tests` with what the tests need outside Python, too.
#
# A stamp inside .venv records which requirements and which Python were installed to the end, so that the second call
# only compares and returns. It is removed before an installation and written after it: a half-finished one never counts.
# Nothing is installed outside .venv except, through apt and only where it is missing: python3-venv, and for the tests
# Chromium, its driver and a Hangul font. PYTHON=… chooses the interpreter; without it the first of python3, python3.14 …
# that is new enough is taken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stop() { printf 'error: %s\n  %s\n' "$1" "$2" >&2; exit 2; }
say() { printf '· %s\n' "$1" >&2; }

# --- Python ------------------------------------------------------------------------------------------------------

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# The interpreter behind `$1`, never one inside a virtual environment: an active .venv may have to be remade.
base_of() { "$1" -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))'; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null || stop "PYTHON=$PYTHON is not a program" "give the name or path of Python 3.11 or newer"
        new_enough "$PYTHON" || stop "PYTHON=$PYTHON is $("$PYTHON" --version 2>&1 | head -n 1); 3.11 or newer is needed" \
            "install it (Debian: apt-get install python3) or name another: make run PYTHON=python3.12"
        base_of "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$candidate"; then base_of "$candidate"; return; fi
    done
    stop "no Python 3.11 or newer was found (python3 is $(python3 --version 2>&1 | head -n 1))" \
        "install it (Debian 12 or newer: apt-get install python3) or name it: make run PYTHON=/path/to/python3.12"
}

# What makes an environment ours: version and home of the interpreter behind it. Empty when it does not start.
identity_of() {
    "$1" -c 'import sys; print(sys.implementation.name, "%d.%d" % sys.version_info[:2], sys.base_prefix)' 2>/dev/null || true
}

# --- apt ---------------------------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ] && sudo -v; }; then sudo "$@"
    else return 1
    fi
}

apt_install() {
    command -v apt-get >/dev/null || return 1
    say "installing through apt: $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 update >&2 </dev/null || say "apt-get update failed; going on"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >&2 </dev/null
}

has_hangul_font() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ko family 2>/dev/null)" ]; }
has_browser() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }

# What the tests need beside Python. Where it cannot be installed they still run, and say themselves what they missed.
system_packages() {
    local missing=()
    has_browser || missing+=(chromium)
    command -v chromedriver >/dev/null || missing+=(chromium-driver)
    has_hangul_font || missing+=(fontconfig fonts-nanum)
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}" || {
        say "could not install ${missing[*]}: tests that need them will not pass"
        say "install them yourself: sudo apt-get install ${missing[*]} (elsewhere: Chromium, chromedriver, a font with 한글)"
    }
}

# --- .venv -------------------------------------------------------------------------------------------------------

make_venv() {
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install "python$version-venv" && "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            stop "this Python cannot make virtual environments: its venv module is missing" \
                "install it, then repeat: sudo apt-get install python$version-venv"
    fi
    say "making .venv with Python $version ($python)"
    rm -rf .venv
    "$python" -m venv .venv
}

# The venv's own Python must be the chosen one and have pip; an interrupted `python -m venv` leaves neither sure.
usable_venv() {
    [ "$(identity_of .venv/bin/python)" = "$(identity_of "$python")" ] && .venv/bin/python -m pip --version >/dev/null 2>&1
}

# Names the requirements of purpose `$1` and the Python they are installed for.
key_for() {
    local files=(requirements.txt)
    [ "$1" = demo ] || files=(requirements.txt requirements-extras.txt requirements-dev.txt)
    { identity_of .venv/bin/python; cat "${files[@]}"; } |
        "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

install() {
    local quiet=--quiet
    [ ! -t 2 ] || quiet=
    say "installing the packages of $1 into .venv (minutes the first time)"
    rm -f .venv/.installed-*
    PIP_NO_INPUT=1 .venv/bin/python -m pip install --disable-pip-version-check ${quiet:+$quiet} -r "$1" >&2 </dev/null ||
        stop "the packages of $1 could not be installed" "read pip's message above; the same command goes on where this one stopped"
}

stamped() { [ -f ".venv/.installed-$1" ] && [ "$(cat ".venv/.installed-$1")" = "$2" ]; }

ready() {
    if [ "$(identity_of .venv/bin/python)" = "$(identity_of "$python")" ] && stamped "$1" "$(key_for "$1")"; then return; fi
    usable_venv || make_venv
    if [ "$1" = demo ]; then
        install requirements.txt
    else
        install requirements-dev.txt
        key_for checks >.venv/.installed-checks
    fi
    key_for demo >.venv/.installed-demo
}

# One at a time: `make run` and `make test` may be started together. The lock is on the folder itself and leaves no file.
if command -v flock >/dev/null; then
    exec 9<.
    flock -n 9 || { say "waiting for another set-up of this folder"; flock 9; }
fi
case "${1:-}" in
    demo) python=$(find_python); ready demo ;;
    checks) python=$(find_python); ready checks ;;
    tests) python=$(find_python); ready checks; system_packages ;;
    *) stop "setup.sh takes demo, checks or tests, not '${1:-}'" "try: make help" ;;
esac
