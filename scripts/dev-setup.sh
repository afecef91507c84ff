#!/usr/bin/env bash
# Installs what the test suites need besides the .NET SDK, Node and PostgreSQL: npm packages, and from Debian's
# archive the browser, the independent gRPC client and a clock that can be set for one process. Does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

for folder in sdks/typescript examples/feeds tests/conformance tests/oauth tests/operations scripts/demo; do
  if [ ! -e "$folder/node_modules/.package-lock.json" ] || [ "$folder/package-lock.json" -nt "$folder/node_modules/.package-lock.json" ]; then
    # Not `npm ci`: it refuses a lock file that lacks other platforms' builds of buf. `install` keeps to the locked versions.
    npm install --prefix "$folder" --no-save --no-audit --no-fund
  fi
done

missing=()
dpkg -s python3-grpcio >/dev/null 2>&1 || missing+=(python3-grpcio)
dpkg -s chromium >/dev/null 2>&1 || missing+=(chromium)
dpkg -s libfaketime >/dev/null 2>&1 || missing+=(libfaketime)
command -v psql >/dev/null || missing+=(postgresql)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
