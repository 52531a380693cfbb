#!/usr/bin/env bash
# Builds the proxy, runs servers, proxy and load on loopback, checks the figures, and draws them.
#
#   run.sh           about two minutes; draws proxy.svg beside this file
#   run.sh --short   less than a minute; draws it into the target directory
#
# Exits with 0 only if every figure is within its limit. The last line is the figure.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Relative to the caller's directory, as cargo takes it.
target=$(realpath -m "${CARGO_TARGET_DIR:-$here/target}")
export CARGO_TARGET_DIR=$target

case "$#:${1-}" in
    0:) options=() picture=$here/proxy.svg ;;
    1:--short) options=(--short) picture=$target/proxy.svg ;;
    *)
        echo "usage: run.sh [--short]" >&2
        exit 2
        ;;
esac

# Each job is a process group of its own. The guard reads the groups from a pipe that only this
# script holds open, so it ends the last one however the script ends, by SIGKILL too.
set -m
exec {guard}> >(
    trap '' INT TERM HUP
    group=
    while read -r line; do group=$line; done
    if [[ -n $group ]]; then kill -KILL -- "-$group" 2>/dev/null; fi
)

# Runs a command as a job of the guard. The job names itself before it begins, so none is missed.
guarded() {
    local status=0
    (
        echo "$BASHPID" >&"$guard"
        exec {guard}>&-
        exec "$@"
    ) &
    wait "$!" || status=$?
    echo >&"$guard"
    return "$status"
}
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cd "$here"
guarded cargo build --release --locked --quiet
guarded "$target/release/proxy" scenario ${options[@]+"${options[@]}"} "$picture"
