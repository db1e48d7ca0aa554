#!/bin/sh
# Stands in for a program of build/debug/bin of the same name, and runs it under valgrind: what is
# lost for good, or read or written where nothing is, makes its exit status 99.
exec valgrind --quiet --error-exitcode=99 --leak-check=full \
    --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect \
    --num-callers=20 \
    "$(dirname "$0")/../../debug/bin/$(basename "$0")" "$@"
