#!/bin/sh
# Packs a release: programs, man pages, completions, units, and the sums of it all.
#   sh deploy/dist.sh DIR_OF_THE_BUILT_PROGRAMS OUT_DIR
set -eu

built=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."

version=$("$built/car-hub" version | cut -d' ' -f2)
name="car-hub-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
top="$stage/$name"

mkdir -p "$top/bin" "$top/share/man/man1" "$top/share/bash-completion/completions" \
    "$top/share/zsh/site-functions" "$top/share/fish/vendor_completions.d"
cp "$built/car-hub" "$built/car" "$top/bin/"
"$built/car" man --dir "$top/share/man/man1"
"$built/car" completions bash >"$top/share/bash-completion/completions/car"
"$built/car" completions zsh >"$top/share/zsh/site-functions/_car"
"$built/car" completions fish >"$top/share/fish/vendor_completions.d/car.fish"
cp -R deploy/systemd deploy/launchd deploy/proxy "$top/"
cp deploy/README.md deploy/install.sh LICENSE "$top/"
(cd "$top" && find . -type f ! -name SHA256SUMS | sort | xargs sha256sum >SHA256SUMS)

# The same input gives the same bytes.
epoch=$(git log -1 --format=%ct 2>/dev/null || echo 0)
tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -C "$stage" -cf - "$name" |
    gzip -n "-${GZIP_LEVEL:-9}" >"$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
