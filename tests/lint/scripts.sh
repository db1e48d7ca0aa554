#!/bin/sh
# Prints the shell scripts of the tree, for shellcheck: those that say so in their first line.
set -eu
cd "$(dirname "$0")/../.."
find . -name build -prune -o -name .git -prune -o -type f -print | sort | while read -r file; do
    if head -n 1 "$file" | grep -qE '^#! ?/(usr/)?bin/(env )?(ba|da)?sh'; then
        printf '%s\n' "$file"
    fi
done
