# shellcheck shell=bash
# Sourced by setup.sh. The page's build: cargo-leptos and wasm-bindgen of exactly Cargo.lock's version.

CARGO_LEPTOS=0.3.11
WASM_BINDGEN="$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' Cargo.lock)"

# From source into the cache: unoptimised and without debug information, which is by far the quickest to build.
cargo_install() {
  CARGO_TARGET_DIR="$OTTLA_CACHE/tools/build" CARGO_PROFILE_DEV_DEBUG=false \
    cargo install --debug --root "$OTTLA_CACHE/tools" "$@"
  rm -rf "$OTTLA_CACHE/tools/build"
}

# Ready-made where `cargo binstall` is there and finds it, else from source.
install_tool() {
  local crate=$1 version=$2
  shift 2
  if has cargo-binstall && cargo binstall --no-confirm --install-path "$OTTLA_CACHE/tools/bin" "$crate@$version" >&2; then
    return
  fi
  cargo_install "$@" "$crate" --version "=$version"
}

is_version() { [[ -x $OTTLA_CACHE/tools/bin/$1 && "$("$1" --version 2>/dev/null)" == *" $2" ]]; }

is_version cargo-leptos "$CARGO_LEPTOS" || step "cargo-leptos $CARGO_LEPTOS (about 4 min from source)" \
  install_tool cargo-leptos "$CARGO_LEPTOS" --locked --no-default-features --features no_downloads
# Its own lock file names a dependency that no longer builds.
is_version wasm-bindgen "$WASM_BINDGEN" || step "wasm-bindgen $WASM_BINDGEN (about 1 min from source)" \
  install_tool wasm-bindgen-cli "$WASM_BINDGEN"
