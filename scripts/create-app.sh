#!/usr/bin/env bash
# As `npm create vibe-app`, with the packages of this clone: builds and packs them, and makes an app that carries them along.
# usage: ./scripts/create-app.sh <folder> [--template react|vanilla] [--url URL] [--app DID] [--port N]
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
sdk="$root/sdks/typescript"

command -v npm >/dev/null || { echo "create-app: Node 20 or later, with npm, is needed; install it from https://nodejs.org" >&2; exit 1; }
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
{
  [ -e "$sdk/node_modules/.package-lock.json" ] || npm install --prefix "$sdk" --no-save --no-audit --no-fund
  npm run build --prefix "$sdk"
  for name in client react create-vibe-app; do npm pack "$sdk/packages/$name" --pack-destination "$packages"; done
} >"$packages/log" 2>&1 || { cat "$packages/log" >&2; echo "create-app: the packages could not be made; the messages above say why" >&2; exit 1; }
tar -xzf "$packages"/create-vibe-app-*.tgz -C "$packages"
node "$packages/package/create-vibe-app.js" "$@" --packages "$packages"
