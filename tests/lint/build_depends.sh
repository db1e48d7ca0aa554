#!/bin/sh
# The Debian package is built with what deploy/packages lists, and nothing else.
set -eu
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Every Debian builder has a compiler, and debhelper is how the package is made.
deploy/install-deps --list build | grep -vxE 'gcc|make|libc6-dev' | sort >"$scratch/listed"
sed -n '/^Build-Depends:/,/^[A-Z]/s/^ \([a-z0-9.+-]*\).*/\1/p' deploy/debian/control |
    grep -v 'debhelper-compat\|^dh-' | sort >"$scratch/wanted"
if ! diff -u "$scratch/listed" "$scratch/wanted"; then
    echo "build_depends: Build-Depends in deploy/debian/control isn't group build of deploy/packages"
    exit 1
fi
