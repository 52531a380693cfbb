#!/usr/bin/env bash
# Simulates the policies, prints the tables, draws the picture and checks the limits. The last line
# is the figure, and the exit status is 0 only if every limit holds.
#
# run.sh           two hours of virtual time; draws prefix_router.svg beside this script
# run.sh --short   thirty minutes of virtual time; draws it beside the program in the target folder
set -euo pipefail
manifest=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/Cargo.toml
# Cargo replaces the shell, and the program replaces Cargo, so a kill ends the only process.
exec cargo run --quiet --release --locked --manifest-path "$manifest" -- "$@"
