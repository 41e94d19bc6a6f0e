#!/bin/sh
# sh install.sh [--dry-run] [FOLDER]
#
# Puts overlaykit, its lessons and what practice hosts run from on this machine: no internet, no root. The lessons and
# their Python go to FOLDER (~/overlaykit where not said), the rest to the cache of your home. Safe to repeat: lessons
# that are there already are left as you have them. PYTHON=python3.12 chooses a Python; --dry-run only looks and says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

refuse() {
    echo "$1" >&2
    exit 1
}

dry=
folder=
for word in "$@"; do
    case $word in
        --dry-run) dry=yes ;;
        -*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
        *) [ -z "$folder" ] || refuse "one folder alone can be named, not $folder and $word too"; folder=$word ;;
    esac
done
folder=${folder:-$HOME/overlaykit}

run() {
    if [ -n "$dry" ]; then echo "would run: $*"; else "$@"; fi
}

is_fit() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

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
"$python" -c 'import ensurepip, venv' 2>/dev/null || refuse "$python cannot make environments: apt-get install python3-venv"
echo "== Python: $("$python" -V), into $folder"

run mkdir -p "$folder"
run "$python" -m venv --clear "$folder/.venv"
run "$folder/.venv/bin/pip" install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" 'overlaykit[notebooks]'
for part in notebooks hosts.example.ini stack.example.toml; do
    if [ -e "$folder/$part" ]; then
        echo "left as it is: $folder/$part"
    else
        run rm -rf "$folder/$part.part"
        run cp -R "$here/$part" "$folder/$part.part"
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
