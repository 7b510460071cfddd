# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 4

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$*"
  exit 4
}

# as_root runs the calling script again as root, by sudo, when it is not root yet: network namespaces and apt-get need it. The
# caches of Go are then root's, so that no file of the user's own becomes root's.
as_root() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null || die "$0 needs root: run it as root, or install sudo"
  exec sudo -H --preserve-env=CI,GOPROXY,GOSUMDB,GONOSUMDB,GOPRIVATE,GOTOOLCHAIN,HTTP_PROXY,HTTPS_PROXY,NO_PROXY,http_proxy,https_proxy,no_proxy,STACKPROOF_CONFORMANCE,DOCKER_HOST \
    env "PATH=$PATH" "$0" "$@"
}

# find_go puts the go command on PATH when it is where its installer leaves it.
find_go() {
  command -v go >/dev/null || PATH="$PATH:/usr/local/go/bin"
  command -v go >/dev/null || die "Go is missing: install Go 1.26 or newer"
}

export PATH="$PATH:/usr/sbin:/sbin"
# The checkout may belong to somebody else than root; Go must not ask git about it.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
