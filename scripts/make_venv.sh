#!/bin/sh
# Make the virtual environment $1 with $PYTHON, or with the newest suitable interpreter found.
# Standard tools only: this is the first thing that runs on a fresh machine.
set -eu
venv=$1

suits() { # a Python that is new enough
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

if [ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if suits "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "celeriac needs Python 3.11 or later; none was found (looked for: ${PYTHON:-python3, python3.11 to python3.14})" >&2
    exit 1
fi

# Debian keeps ensurepip in a package of its own, so `python3 -m venv` may fail on a machine that has Python.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null; then
        echo "installing $package"
        as_root apt-get update -q </dev/null >/dev/null
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$package" </dev/null >/dev/null
    else
        echo "$python cannot make virtual environments: install the Debian package $package, or another Python" >&2
        exit 1
    fi
fi

echo "making $venv with $("$python" --version)"
"$python" -m venv --clear "$venv"
