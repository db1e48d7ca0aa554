#!/bin/sh
# systemd understands every line of our units, and counts their exposure as well under 2.
set -eu
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for unit in deploy/systemd/*.service; do
    # Programs that exist anywhere: verify looks for them. kill is a package's of its own.
    sed -e 's|@BINDIR@/[a-z-]*|/bin/true|' -e 's|/bin/kill|/bin/true|' -e 's|@SYSCONFDIR@|/etc|g' "$unit" >"$scratch/${unit##*/}"
done
# What it does not know it only warns of.
if ! systemd-analyze verify --man=no "$scratch"/*.service >"$scratch/said" 2>&1 ||
    [ -s "$scratch/said" ]; then
    cat "$scratch/said"
    echo "units: systemd finds fault with them"
    exit 1
fi
for unit in "$scratch"/*.service; do
    if ! systemd-analyze security --no-pager --offline=true --threshold=15 "$unit" \
        >"$scratch/said" 2>&1; then
        cat "$scratch/said"
        echo "units: ${unit##*/} is exposed to more than 1.5"
        exit 1
    fi
done
