#!/bin/sh
# Copies what lies beside this file to where it belongs. No network, no root, nothing is started.
#   sh install.sh                     into ~/.local
#   PREFIX=/usr/local sh install.sh   for everybody
set -eu

cd "$(dirname "$0")"
prefix=${PREFIX:-$HOME/.local}

put() { # MODE FROM... DIR
    mode=$1
    shift
    for last in "$@"; do :; done
    mkdir -p "$last"
    for file in "$@"; do
        [ "$file" = "$last" ] && continue
        # By a new name first: a program that is at work is not written over.
        cp "$file" "$last/.new-$(basename "$file")"
        chmod "$mode" "$last/.new-$(basename "$file")"
        mv "$last/.new-$(basename "$file")" "$last/$(basename "$file")"
    done
}

put 755 bin/car-hub bin/car "$prefix/bin"
put 644 share/man/man1/*.1 "$prefix/share/man/man1"
put 644 share/bash-completion/completions/car "$prefix/share/bash-completion/completions"
put 644 share/zsh/site-functions/_car "$prefix/share/zsh/site-functions"
put 644 share/fish/vendor_completions.d/car.fish "$prefix/share/fish/vendor_completions.d"

echo "car-hub and car are in $prefix/bin."
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "Put $prefix/bin on your PATH." ;;
esac
echo "Next: car-hub init ~/car-hub, then README.md beside this file."
