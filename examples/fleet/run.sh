#!/usr/bin/env bash
# Builds and runs the fleet, prints the figures, draws the picture and checks the limits. The last
# line is the figure, and the exit status is 0 only if every limit holds.
#
# run.sh               all of it, about two minutes; draws fleet.svg beside this script
# run.sh --short       less than a minute; draws fleet.svg beside the program in the target folder
# run.sh --break RULE  breaks a rule (blind or hurry): succeeds if the check finds wrong reads
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CARGO_TARGET_DIR:-$here/target}

# The program, and the Debian package that has it.
missing=()
for pair in etcd:etcd-server redis-server:redis-server protoc:protobuf-compiler; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
done
# The compiler of protocol buffers needs the standard definitions too.
if [ "$(command -v protoc)" = /usr/bin/protoc ] || [ ${#missing[@]} -gt 0 ]; then
    [ -e /usr/include/google/protobuf/descriptor.proto ] || missing+=(libprotobuf-dev)
fi
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "apt-get install -y --no-install-recommends ${missing[*]}"
        apt-get install -y --no-install-recommends "${missing[@]}" >&2 || {
            echo "SKIPPED: ${missing[*]} cannot be installed"
            exit 0
        }
    else
        echo "SKIPPED: install ${missing[*]}"
        exit 0
    fi
fi

# The kernel kills Cargo if this script is killed.
setpriv --pdeathsig KILL cargo build --quiet --release --locked \
    --manifest-path "$here/Cargo.toml" --target-dir "$target"

picture=$here/fleet.svg
for argument in "$@"; do
    [ "$argument" != --short ] || picture=$target/release/fleet.svg
done
# The program replaces the shell, so a kill of this script is a kill of the program, and the kernel
# kills all that it started.
exec "$target/release/fleet" --picture "$picture" "$@"
