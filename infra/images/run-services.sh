#!/usr/bin/env bash
# The second half of prove.sh, in a network of its own: runs the images' roots by what the images say of themselves
# (user, entry, variables, health check), and asks them for an answer. Knows no Dockerfile.
set -euo pipefail
folder="$1"
here="$(cd "$(dirname "$0")/../.." && pwd)"
failed() { echo "NOT as it should be: $*" >&2; tail -n 5 "$folder"/*.out >&2; exit 1; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# A field of an image's config, JSON: a list as lines.
field() {
  node -e '
    const { readFileSync } = require("node:fs");
    const { Docker: { config } } = JSON.parse(readFileSync(process.argv[1], "utf8"));
    const value = process.argv[2].split(".").reduce((at, name) => at?.[name], config);
    console.log(Array.isArray(value) ? value.join("\n") : value);
  ' "$folder/roots/$1.json" "$2"
}

# Becomes a command in an image's root as the image says: read-only, a small /tmp, its user, its variables and VARIABLES.
inside() { # TARGET VARIABLES -- COMMAND…
  local target="$1" root environment user
  root="$(readlink "$folder/roots/$target")"
  shift
  mapfile -t environment < <(field "$target" Env)
  while [ "$1" != -- ]; do environment+=("$1"); shift; done
  shift
  user="$(field "$target" User)"
  [ "$user" = 1000:1000 ] || failed "$target runs as $user"
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o size=16m,mode=1777 tmpfs "$root/tmp"
  mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/models"
  mount -t tmpfs -o size=1m,mode=755 tmpfs "$root/dev"
  for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mount -o remount,ro,bind "$root"
  exec chroot --userspec="$user" "$root" env -i "${environment[@]}" "$@"
}
export -f inside field failed
export folder

# Starts a service as process 1 of its own; its number outside is in $folder/TARGET.pid.
start() { # TARGET VARIABLES…
  local target="$1" entry
  mapfile -t entry < <(field "$target" Entrypoint)
  unshare --mount --pid --fork --kill-child bash -c 'inside "$@"' - "$@" -- \
    env --chdir=/app "${entry[@]}" >"$folder/$target.out" 2>&1 &
  echo $! >"$folder/$target.parent"
}

# Runs an image's own health check until it says yes; with a command, that one.
healthy() { # TARGET [COMMAND…]
  local target="$1" check
  shift
  mapfile -t check < <(field "$target" Healthcheck.Test)
  [ "${check[0]}" = CMD ] || failed "$target has no health check"
  [ $# -gt 0 ] || set -- "${check[@]:1}"
  for _ in $(seq 60); do
    if unshare --mount bash -c 'inside "$@"' - "$target" -- env --chdir=/app "$@" >"$folder/$target.health" 2>&1; then
      cat "$folder/$target.health"
      return
    fi
    sleep 0.5
  done
  cat "$folder/$target.health"
  failed "$target is not healthy"
}

# Ends a service as a container engine does, and takes its exit status.
stop() { # TARGET
  local target="$1" parent status=0
  parent="$(cat "$folder/$target.parent")"
  kill -TERM "$(pgrep -P "$parent")"
  wait "$parent" || status=$?
  [ "$status" = 0 ] || failed "$target ended with status $status"
  echo "$target drained and ended with status 0"
}

# They share a network here, so only one can have the port of metrics that all have.
start preprocess VGG_PREPROCESS_METRICS_PORT=9091
start inference-cpu
start aggregator VGG_AGGREGATOR_METRICS_PORT=9092
start gateway
# Whoever is asked first may not be there yet: that is what checks are for.
for target in preprocess inference-cpu aggregator gateway; do healthy "$target"; done
healthy gateway node dist/cli/main.js probe gateway

photo="$here/test/golden/photo.png"
classify() { curl -sS --fail-with-body -H 'Content-Type: image/png' -H 'Cache-Control: no-cache' --data-binary "@$photo" \
  "http://127.0.0.1:8080/v1/classify?top=1$1"; }
answer="$(classify '&protocol=center-crop')"
echo "$answer"
[[ "$answer" == *'"label":"elephant"'* ]] || failed 'the answer'
[ "$(curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/)" = 200 ] || failed 'the page'
curl -sS http://127.0.0.1:9090/metrics >/dev/null || failed 'metrics'

for target in preprocess inference-cpu aggregator gateway; do
  child="$(pgrep -P "$(cat "$folder/$target.parent")")"
  written="$(awk '/^Uid/ { print $2 }' "/proc/$child/status")"
  [ "$written" = 1000 ] || failed "$target runs as $written"
  ! nsenter -t "$child" -m -r -w touch /app/x 2>/dev/null || failed "$target can write its root"
  [ "$(awk '/^NSpid/ { print $NF }' "/proc/$child/status")" = 1 ] || failed "$target is not process 1"
done
echo 'each is process 1, user 1000, on a root that is read-only'

# A request that is under way when everything is told to end is answered.
classify '&protocol=dense-and-multi-crop&share=off&posterior=true' >"$folder/last.json" &
last=$!
until [ "$(curl -sS http://127.0.0.1:8080/metrics | awk '/^vgg_http_in_flight/ { sum += $2 } END { print sum + 0 }')" -ge 1 ] ||
  ! kill -0 "$last" 2>/dev/null; do :; done
stop gateway
wait "$last" || failed 'the request under way was lost'
[[ "$(cat "$folder/last.json")" == *'"label":"elephant"'* ]] || failed 'the answer while draining'
echo 'a request under way at SIGTERM was answered'
for target in aggregator inference-cpu preprocess; do stop "$target"; done

# A full disk, and no permission, end the process with one line.
if [ -e "$folder/roots/inference" ]; then
  start inference
  status=0
  wait "$(cat "$folder/inference.parent")" || status=$?
  [ "$status" = 1 ] || failed "inference without a GPU ended with status $status"
  tail -n 1 "$folder/inference.out"
fi
