# shellcheck shell=bash
# Sourced by every script: where things are kept, which tools are used, and a few words to say things with.
# It installs and starts nothing.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT" || exit 1

# Everything that is fetched or built lives here, outside the checkout. It can be deleted at any time.
export OTTLA_CACHE="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}"
mkdir -p "$OTTLA_CACHE" "${CARGO_TARGET_DIR:=$OTTLA_CACHE/target}"
CARGO_TARGET_DIR="$(cd "$CARGO_TARGET_DIR" && pwd)"
export CARGO_TARGET_DIR

# The toolchain is named in rust-toolchain.toml alone. Set here, it holds outside the checkout too.
RUSTUP_TOOLCHAIN="$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)"
export RUSTUP_TOOLCHAIN

export PATH="$OTTLA_CACHE/tools/bin:$HOME/.cargo/bin:$PATH"
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# What scripts/build.sh leaves: the program, and beside it the page's files, which the program finds by itself.
export OTTLA_BIN="$CARGO_TARGET_DIR/debug/ottla"
export OTTLA_SITE="$CARGO_TARGET_DIR/site"

# The page's WebAssembly names its sources where it can panic: not by where this machine keeps them, which would be longer, and
# different on each machine. (cargo's `trim-paths` will do that once it is stable.)
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src/="

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() {
  printf '\033[31m%s\033[0m\n' "$*" >&2
  exit 1
}
