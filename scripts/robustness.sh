#!/usr/bin/env bash
# What kill -9, cut and slow connections, a full disk, clocks that jump, long transactions, lost slots and nodes that come
# and go leave behind: histories of many clients, held against the promises of docs/guarantees.md.
# usage: ./scripts/robustness.sh [--minutes N | --rounds N] [--seed S] [--only NAME]
#   --minutes N  for about so long; without it, about a minute
#   --rounds N   so many rounds of each part
#   --seed S     the same faults and the same work once more; how they fall together in time is left to chance
#   --only NAME  one part (checker, start, embedded, nodes), or the faults whose name contains NAME
# Must be root: it mounts disks of its own. Ends with one line: N passed, N failed.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in -h|--help) sed -n '2,8p' "$0" | cut -c3-; exit 0 ;; esac
./scripts/vibe --help >/dev/null # Built once, not by two nodes at a time.
exec node tests/robustness/run.mjs "$@"
