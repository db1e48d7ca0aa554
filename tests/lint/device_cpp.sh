#!/bin/sh
# The device's files, and those of the firmware that need no ESPHome, are C and C++ alike: each
# compiles as both without a warning, for 64 and for 32 bits, includes nothing but a few standard
# headers, and asks nothing of the system. clang has its say where it is installed. Run from the top
# of the tree.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
fail() {
    echo "device_cpp: $*" >&2
    failed=1
}

c="-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror"
cpp="-x c++ -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

compile() {
    # shellcheck disable=SC2086 # flags are words
    $1 $2 -I. -O2 -c -o "$scratch/object.o" "$3" || fail "$1 $2 $3"
}

# Without the 32-bit libc headers the 64-bit ones do for a look at the code: the only file that
# they lack is a list of missing functions.
mkdir -p "$scratch/include/gnu"
: > "$scratch/include/gnu/stubs-32.h"
multiarch=/usr/include/$(gcc -print-multiarch)
narrow="-m32 -fsyntax-only -isystem $scratch/include -idirafter $multiarch"

for file in devices/device*.c devices/esphome/*.c; do
    for compiler in gcc clang; do
        if command -v $compiler > /dev/null; then
            compile $compiler "$c" "$file"
            compile $compiler "$c $narrow" "$file"
        fi
    done
    for compiler in g++ clang++; do
        if command -v $compiler > /dev/null; then
            compile $compiler "$cpp" "$file"
        fi
    done
    # No C++ library headers are needed, nor there for 32 bits.
    compile g++ "$cpp $narrow" "$file"
    gcc -std=c11 -I. -O2 -fno-stack-protector -c -o "$scratch/object.o" "$file"
    nm -u "$scratch/object.o" >> "$scratch/undefined"
done
for file in devices/device*.h devices/esphome/*.h; do
    cp "$file" "$scratch/header.c"
    compile gcc "$c" "$scratch/header.c"
    compile g++ "$cpp" "$scratch/header.c"
done

if grep -hE '^ *# *include' devices/device*.[ch] devices/esphome/*.[ch] |
    grep -vE '<(stdbool|stddef|stdint|string)\.h>|"devices/(device|esphome/)'; then
    fail "includes more than it may"
fi
if awk '{ print $2 }' "$scratch/undefined" |
    grep -vE '^(device|cursor|guard|memory|slot|wire)_' |
    grep -vE '^(mem(cpy|set|cmp|move)|str(chr|cmp|len))$'; then
    fail "calls more than it may"
fi
exit $failed
