#!/bin/sh
# README's topic table is the code's. usage: topics.sh PRINT_TOPICS [--write]
# With --write it puts the code's table into the README.
set -eu
print_topics=$1
cd "$(dirname "$0")/../.."

table=$(mktemp)
wanted=$(mktemp)
trap 'rm -f "$table" "$wanted"' EXIT
"$print_topics" >"$table"

for marker in '<!-- topics -->' '<!-- /topics -->'; do
    if [ "$(grep -cxF -- "$marker" README.md)" != 1 ]; then
        echo "README.md: wants exactly one line $marker"
        exit 1
    fi
done

awk -v table="$table" '
    /^<!-- \/topics -->$/ { inside = 0 }
    !inside { print }
    /^<!-- topics -->$/ { inside = 1; while ((getline line <table) > 0) print line }' README.md >"$wanted"

if [ "${2:-}" = --write ]; then
    cat "$wanted" >README.md
elif ! diff -u README.md "$wanted"; then
    echo "README.md: the topic table is not the code's; 'tests/lint/topics.sh $print_topics --write' mends it"
    exit 1
fi
