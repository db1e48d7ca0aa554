#!/bin/sh
# Each header compiles alone, so that including one never depends on what came before it.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-gcc}
status=0

for header in $(find . -name build -prune -o -name components -prune -o -path "./tests/esphome" -prune -o -name "*.h" -printf "%P\n" |
    sort); do
    if ! printf '#include "%s"\n' "$header" |
        "$CC" -x c -std=c11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -; then
        echo "$header does not compile alone"
        status=1
    fi
done
exit $status
