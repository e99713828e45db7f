#!/bin/sh
# 离线安装：sh install.sh /opt/reconcile [python3.11]
# Installs from this folder only; no network is used. The second argument is the Python (3.11 or newer) to install for.
set -eu
[ $# -ge 1 ] || { echo "用法 / usage: sh install.sh /opt/reconcile [python3.11]" >&2; exit 1; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=$1
python=${2:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更新版本 / Python 3.11 or newer is needed" >&2; exit 1; }
(cd "$here" && sha256sum --check --quiet SHA256SUMS) || { echo "安装包不完整或被改动，请重新复制 / the folder is damaged, copy it again" >&2; exit 1; }

umask 022
"$python" -m venv "$target"
# --isolated: no index that this machine's settings name; the hashes of the lock hold for every wheel
pip() { "$target/bin/python" -m pip --isolated --disable-pip-version-check "$@"; }
pip install --quiet --no-index --find-links "$here" --only-binary :all: --no-deps --require-hashes -r "$here/requirements.lock"
pip install --quiet --no-index --no-deps "$here"/reconcile-*.whl
pip check
"$target/bin/reconcile" --version
echo "装好了：$target/bin/reconcile；下一步见 INSTALL.md / installed, see INSTALL.md"
