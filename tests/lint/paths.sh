#!/bin/sh
# Nothing in the tree names a place of one machine: somebody's home, a scratch or checkout folder.
set -eu
cd "$(dirname "$0")/../.."

# The brackets keep the pattern from finding itself.
places='/(home/[a-z]|roo[t]/|wor[k]/|Users/[A-Za-z]|media/[a-z]|mnt/[a-z]|tmp/[w]t)'
if found=$(grep -rnIE "(^|[^[:alnum:]_./~-])$places" . \
    --exclude-dir=build --exclude-dir=.git --exclude=.git --exclude-dir=.pytest_cache --exclude-dir=__pycache__); then
    echo "$found"
    echo "paths: of one machine"
    exit 1
fi
