#!/usr/bin/env bash
# Starts real memcached servers and twemproxy on loopback, runs the clients, and checks the figures.
# Draws hit-rate.svg. With --short it takes less than a minute, and draws in the build folder.
#   usage: run.sh [--short]
set -euo pipefail
if [ -n "${CARGO_TARGET_DIR-}" ]; then
  CARGO_TARGET_DIR=$(realpath -m "$CARGO_TARGET_DIR")
fi
cd "$(dirname "$0")"

seconds=12 picture=hit-rate.svg
folder=${CARGO_TARGET_DIR:-target}/memcached-example
case "${1-}" in
  "") ;;
  --short) seconds=6 picture=$folder/hit-rate.svg ;;
  *) echo "usage: run.sh [--short]" >&2; exit 2 ;;
esac

skip() { printf 'SKIPPED: examples/memcached: %s\n' "$*"; exit 0; }

missing=()
for program in memcached nutcracker; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    skip "${missing[*]} not installed"
  fi
  echo "installing ${missing[*]} with apt-get"
  apt-get -qq update >/dev/null || true
  # The packages would start services of their own.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    skip "${missing[*]} cannot be installed"
fi
for program in memcached nutcracker setpriv; do
  command -v "$program" >/dev/null || skip "$program not found"
done

mkdir -p "$folder"
# The program ends with this script, and its servers end with the program, even if SIGKILL ends
# either. `setpriv` asks the kernel for that; the shell after it looks whether the script has ended
# before. Then it becomes cargo, and cargo becomes the program, so that it is one process.
# shellcheck disable=SC2016
setpriv --pdeathsig KILL bash -c '[ "$PPID" = "$0" ] || exit; exec "$@"' $$ \
  cargo run --release --locked --quiet -- \
  --seconds "$seconds" --folder "$folder" --picture "$picture" &
program=$!
# Bash runs a trap while it waits, but not while a program runs in the foreground.
trap 'kill -KILL "$program" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
wait "$program"
