#!/bin/sh
# Prepares .venv: the locked versions, installed by uv, from the package index that pip is configured for.
# Needs Python 3.11 or newer, with pip if there is no uv. `make` calls this; calling it again is harmless.
# What is named, such as `engines`, are dependency groups of pyproject.toml to install besides.
set -eu
cd "$(dirname "$0")"

python_needed=3.11
uv_needed=0.8

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 2; }

# at_least VERSION NEEDED: is 3.12.1 at least 3.11? Looks at the first two numbers.
at_least() {
    major=${1%%.*}; rest=${1#*.}; minor=${rest%%[!0-9]*}
    [ "$major" -gt "${2%%.*}" ] || { [ "$major" -eq "${2%%.*}" ] && [ "$minor" -ge "${2#*.}" ]; }
}

# The interpreter behind a virtual environment, so that .venv does not hang on another one.
describe='import sys; print("%d.%d" % sys.version_info[:2], sys._base_executable)'

find_python() {
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.14 python3.13 python3.12 python3.11; fi
    seen=
    for name; do
        found=$("$name" -c "$describe" 2>/dev/null) || continue
        if at_least "${found%% *}" $python_needed; then python=${found#* }; return; fi
        seen="$seen $name is ${found%% *}."
    done
    fail "Python $python_needed or newer is needed; looked for $*.$seen" \
        "Another place: make setup PYTHON=/path/to/python3"
}

# pip_setting NAME: what pip is told by its environment, else by its configuration files.
pip_setting() {
    eval "value=\${PIP_$(echo "$1" | tr a-z- A-Z_):-}"
    [ -n "$value" ] || value=$("$python" -m pip config get "global.$1" 2>/dev/null) || value=
    echo "$value"
}

# uv knows nothing of pip's configuration: the same index, certificates and proxy hold for both.
follow_pip() {
    : "${UV_DEFAULT_INDEX:=${UV_INDEX_URL:-$(pip_setting index-url)}}"
    : "${SSL_CERT_FILE:=$(pip_setting cert)}"
    : "${UV_INSECURE_HOST:=$(pip_setting trusted-host)}"
    : "${ALL_PROXY:=$(pip_setting proxy)}"
    for name in UV_DEFAULT_INDEX SSL_CERT_FILE UV_INSECURE_HOST ALL_PROXY; do
        if eval "[ -n \"\$$name\" ]"; then export "$name"; else unset "$name"; fi
    done
    export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1
    unset UV_INDEX_URL
}

find_uv() {
    for uv in "$(command -v uv)" "$PWD/.uv/bin/uv"; do
        [ -x "$uv" ] && at_least "$("$uv" --version | cut -d' ' -f2)" $uv_needed && return
    done
    "$python" -m pip --version >/dev/null 2>&1 ||
        fail "neither uv nor pip was found. Install pip for $python (Debian: python3-pip), or uv $uv_needed or newer."
    say "fetching uv from the package index"
    rm -rf .uv .uv.part
    mkdir .uv.part
    echo '*' >.uv.part/.gitignore
    export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
    "$python" -m pip install --quiet --no-warn-script-location --target .uv.part "uv>=$uv_needed,<1"
    mv .uv.part .uv
}

# The lock file names the default index and the files there. For another index the same versions are asked for
# by name and hash.
install_locked() {
    groups=
    for name; do groups="$groups --group $name"; done
    if [ -z "${UV_DEFAULT_INDEX:-}" ]; then
        "$uv" sync --quiet --locked --compile-bytecode $groups
        return
    fi
    say "from the configured index, checked against the hashes of uv.lock"
    [ -x .venv/bin/python ] || "$uv" venv --quiet --clear .venv
    "$uv" export --quiet --frozen --no-emit-project $groups --output-file .venv/locked.txt
    "$uv" pip sync --quiet --python .venv --require-hashes --compile-bytecode .venv/locked.txt
    "$uv" pip install --quiet --python .venv --no-deps --editable .
}

[ "$(cat .venv/.ready 2>/dev/null || pwd)" = "$(pwd)" ] || rm -rf .venv # made elsewhere, then moved or copied
rm -f .venv/.ready
find_python
follow_pip
find_uv
unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
export UV_PYTHON="$python" UV_PYTHON_DOWNLOADS=never
say "installing the locked packages into .venv (a minute or two the first time)"
install_locked "$@"
pwd >.venv/.ready
say "ready"
