#!/bin/sh
# Each header compiles alone, so that including one never depends on what came before it; the
# device's also as C++, since the firmware includes it.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-gcc}
status=0

# Language and flags, then the header.
try() {
    header=$1
    shift
    if ! printf '#include "%s"\n' "$header" |
        "$CC" "$@" -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -; then
        echo "$header does not compile alone ($*)"
        status=1
    fi
}

for header in $(find . -name build -prune -o -name esphome -prune -o -name "*.h" -printf "%P\n" |
    sort); do
    try "$header" -x c -std=c11
done
if [ -f devices/device.h ]; then
    try devices/device.h -x c++ -std=c++17
fi
exit $status
