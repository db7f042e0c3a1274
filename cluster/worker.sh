#!/bin/sh
# Start one of the workers that train together:
#
#     cluster/worker.sh INDEX HOST:PORT HOST:PORT ...
#
# The addresses are the same for all workers, and INDEX, from 0, is the place of this one among them. Worker 0 is the
# chief: it runs the stage by DVC and writes the model. The others only compute. params.yaml must say
# `strategy: multi_worker` in section `train`.
set -eu
usage() { echo "usage: $0 INDEX HOST:PORT HOST:PORT ..." >&2; exit 2; }
[ $# -ge 3 ] || usage
index=$1
shift
case $index in '' | *[!0-9]* | 0?*) usage ;; esac # not a number
[ "$index" -lt $# ] || usage
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
addresses=$(printf ', "%s"' "$@")
TF_CONFIG=$(printf '{"cluster": {"worker": [%s]}, "task": {"type": "worker", "index": %d}}' "${addresses#, }" "$index")
export PATH TF_CONFIG
if [ "$index" = 0 ]; then exec dvc repro --force --single-item train; else exec python src/train.py; fi
