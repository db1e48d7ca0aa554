#!/bin/sh
# The core calls nothing but its own functions and those that only move and compare bytes: no clock,
# no malloc, no socket, no log. usage: core_symbols.sh libcore.a
set -eu
archive=$1

# Compilers add the rest: stack protection, _FORTIFY_SOURCE's checked twins, sanitizers.
allowed='^(mem(cpy|set|move|cmp|chr)|str(len|nlen|cmp|ncmp|chr))$'
added='^(__stack_chk_fail|__(mem(cpy|set|move)|str(cpy|ncpy|cat))_chk|_GLOBAL_OFFSET_TABLE_)$'
added="$added|^__(asan|ubsan)_"

defined=$(nm --defined-only --format=posix "$archive" | awk '$2 ~ /^[TDRB]$/ {print $1}')
if [ -z "$defined" ]; then
    echo "core_symbols: $archive defines nothing"
    exit 1
fi
foreign=$(nm --undefined-only --format=posix "$archive" | awk '$2 == "U" {print $1}' | sort -u |
    grep -vxF "$defined" | grep -vE "$allowed|$added" || true)
if [ -n "$foreign" ]; then
    echo "$foreign" | sed 's|^|core_symbols: the core must not call |'
    exit 1
fi
