#!/usr/bin/env bash
# Compares the base image's pin in the Dockerfile with what the registry has for its tag, and says what to write if they
# differ. Needs docker with buildx, and the network.
#
#   infra/images/pin.sh [--write]
set -euo pipefail
file="$(dirname "$0")/Dockerfile"
pinned="$(sed -n 's/^ARG NODE_IMAGE=//p' "$file")"
tag="${pinned%@*}"
digest="$(docker buildx imagetools inspect "$tag" --format '{{.Manifest.Digest}}')"
[[ "$digest" =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "Expected a digest but received $digest" >&2; exit 2; }
if [ "$pinned" = "$tag@$digest" ]; then
  echo "$pinned is what the registry has"
elif [ "${1:-}" = --write ]; then
  sed -i "s|^ARG NODE_IMAGE=.*|ARG NODE_IMAGE=$tag@$digest|" "$file"
  echo "Pinned $tag@$digest"
else
  echo "The registry has $tag@$digest but $pinned is pinned: $0 --write" >&2
  exit 1
fi
