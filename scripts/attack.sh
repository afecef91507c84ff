#!/usr/bin/env bash
# Attacks a real server, with a database of its own, from outside: as a stranger, as a signed-in user and as an app. Named attacks,
# floods, then fuzzing. What a mutant raises is kept, made small, in tests/security/corpus.
# usage: ./scripts/attack.sh [--minutes 10] [--seed N] [access] [tokens] [oauth] [framing] [input] [places] [channels] [floods] [fuzz]
#   --minutes  how long to fuzz; from 5 on, every combination is tried and each flood goes on for 10 seconds instead of one
#   --seed     makes the same requests again; without it another one each time, which is printed
#   a name     only those parts
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -e tests/conformance/node_modules/.package-lock.json ]; then
  npm install --prefix tests/conformance --no-save --no-audit --no-fund >/dev/null
fi
# A check may be thousands of requests: it has failed when it has not ended after five minutes.
export CHECK_LIMIT=${CHECK_LIMIT:-300000}
exec node tests/security/run.mjs "$@"
