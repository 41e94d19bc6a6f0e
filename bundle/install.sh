#!/bin/sh
# sh install.sh [--dry-run] [FOLDER]
#
# Puts overlaykit, its lessons and what practice hosts run from on this machine: no internet, no root. The lessons and
# their Python go to FOLDER (~/overlaykit where not said), the rest to the cache of your home; Jupyter is told to trust
# the lessons. Safe to repeat: lessons that are there already are left as you have them. PYTHON=python3.12 chooses a
# Python; --dry-run only looks and says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
packages=500 build=1000  # MB that the Python packages take, and what practice hosts run from

refuse() {
    echo "$1" >&2
    exit 1
}

dry=
folder=
for word in "$@"; do
    case $word in
        --dry-run) dry=yes ;;
        -*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
        *) [ -z "$folder" ] || refuse "one folder alone can be named, not $folder and $word too"; folder=$word ;;
    esac
done
folder=${folder:-$HOME/overlaykit}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/overlaykit

run() {
    if [ -n "$dry" ]; then echo "would run: $*"; else "$@"; fi
}

quietly() {
    if [ -n "$dry" ]; then run "$@"; else "$@" >/dev/null; fi
}

is_fit() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

# of the disk on which a folder is or will be: one column of what df tells
disk() {
    place=$1
    while [ ! -e "$place" ]; do place=$(dirname "$place"); done
    df -Pm "$place" | awk -v column="$2" 'NR == 2 { print $column }'
}

require_room() {
    free=$(disk "$1" 4)
    [ "$free" -ge "$2" ] || refuse "$3 $2 MB in $1, and $free MB are free there: make room, or $4. Nothing was installed"
}

for mark in .git Makefile; do
    [ ! -e "$folder/$mark" ] || refuse "$folder is a clone of overlaykit, with an environment of its own: name another folder. Nothing was installed"
done
machine=$(uname -s -m)
[ "$machine" = "Linux x86_64" ] || refuse "this bundle is for Linux on x86_64, and this machine is $machine"

echo "== Is the bundle whole?"
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) ||
    refuse "the bundle in $here is cut short or was changed: copy it again. Nothing was installed"

python=
for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if is_fit "$name"; then python=$name; break; fi
done
[ -n "$python" ] || refuse "no Python 3.11, 3.12 or 3.13 is found (tried: ${PYTHON:-python3 and these by name}): install one, or say PYTHON=/its/path"
libc=$("$python" -c 'import platform; print(*platform.libc_ver())')
case $libc in
    "glibc 2."[0-9] | "glibc 2."[12][0-9]* | "glibc 2.3"[0-3]*)
        refuse "the Python packages need glibc 2.34 or newer (Debian 12, Ubuntu 22.04, RHEL 9), and this system has $libc: take a newer one. Nothing was installed" ;;
    "glibc "*) ;;
    *) refuse "the Python packages need a system with glibc (Debian, Ubuntu, RHEL), and $python stands on another C library${libc:+ ($libc)}. Nothing was installed" ;;
esac
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "$python lacks venv or pip (ensurepip), by which the packages are installed: apt-get install python3-venv, or name a Python that has them: PYTHON=/its/path. Nothing was installed"

[ ! -x "$folder/.venv/bin/overlaykit" ] || packages=0  # the packages come last: without them it is half made
[ ! -e "$cache/builds" ] || build=0  # of this version or another: the import looks closer
if [ "$(disk "$folder" 6)" = "$(disk "$cache" 6)" ]; then
    require_room "$folder" $((packages + build)) "the packages and what practice hosts run from take" "name another folder and set XDG_CACHE_HOME"
else
    require_room "$folder" "$packages" "the packages take" "name another folder"
    require_room "$cache" "$build" "what practice hosts run from takes" "set XDG_CACHE_HOME to a folder on another disk"
fi
echo "== Python: $("$python" -V), into $folder"

run mkdir -p "$folder"
run "$python" -m venv --clear "$folder/.venv"
run "$folder/.venv/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" 'overlaykit[notebooks]'
for part in notebooks docs hosts.example.ini stack.example.toml; do
    if [ -e "$folder/$part" ]; then
        echo "left as it is: $folder/$part"
    else
        run rm -rf "$folder/$part.part"
        run cp -R "$here/$part" "$folder/$part.part"
        # Trusted, so that a panel is there again for who closed the tab: known by what is in them, wherever they lie.
        # A comfort, without which all else works.
        [ "$part" != notebooks ] || quietly "$folder/.venv/bin/jupyter" trust "$folder/$part.part"/*.ipynb ||
            echo "not trusted: the lessons; type $folder/.venv/bin/jupyter trust $folder/$part/*.ipynb" >&2
        run mv "$folder/$part.part" "$folder/$part"
    fi
done
echo "== What practice hosts run from"
run "$folder/.venv/bin/overlaykit" lab import "$here/lab.tar.zst"

[ -z "$dry" ] || { echo "Nothing was installed: --dry-run."; exit 0; }
cat <<END
Installed. Next:
  cd $folder && . .venv/bin/activate
  overlaykit lab up                 three practice hosts
  jupyter lab notebooks             the lessons
To remove it all: overlaykit lab down --cache, then rm -rf $folder
END
