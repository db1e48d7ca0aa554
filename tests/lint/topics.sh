#!/bin/sh
# README's topic table and the broker's access list are the code's. usage: topics.sh PRINT_TOPICS
# [--write]; with --write it puts the code's into both.
set -eu
print_topics=$1
cd "$(dirname "$0")/../.."
acl=deploy/mosquitto/tagout.acl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for marker in '<!-- topics -->' '<!-- /topics -->'; do
    if [ "$(grep -cxF -- "$marker" README.md)" != 1 ]; then
        echo "README.md: wants exactly one line $marker"
        exit 1
    fi
done

"$print_topics" >"$scratch/table"
awk -v table="$scratch/table" '
    /^<!-- \/topics -->$/ { inside = 0 }
    !inside { print }
    /^<!-- topics -->$/ { inside = 1; while ((getline line <table) > 0) print line }
' README.md >"$scratch/README.md"

{
    cat <<'END'
# Who may read and write what, made from the code's table of topics (tests/lint/topics.sh): an
# example of what "tagoutctl device" and "tagoutctl account" write for the accounts that there are.
# They write it anew with each of them, but for rules of your own between two lines for that.
#
# A device's account has its machine's name. All others have a dot in theirs, which no machine can
# have, so that these patterns, which hold for every account, give them nothing.

END
    "$print_topics" --acl tagout svc.controller-one svc.watcher ha.home op.ada ad.grace
} >"$scratch/tagout.acl"

if [ "${2:-}" = --write ]; then
    cat "$scratch/README.md" >README.md
    cat "$scratch/tagout.acl" >"$acl"
elif ! diff -u README.md "$scratch/README.md" || ! diff -u "$acl" "$scratch/tagout.acl"; then
    echo "topics: not the code's; mend it with: tests/lint/topics.sh $print_topics --write"
    exit 1
fi
