# shellcheck shell=bash
# Sourced by setup.sh. The toolchain that rust-toolchain.toml names, with its components and the WebAssembly target.
# Installed explicitly, for automatic installs may be switched off.

has rustup || fail "Missing: rustup, which installs Rust. See https://rustup.rs, or your system's package of that name.
Then run this again."

# Looked for in its folder: asking rustup may begin an install.
toolchain_complete() {
  local dir
  for dir in "${RUSTUP_HOME:-$HOME/.rustup}/toolchains/$RUSTUP_TOOLCHAIN"-*; do
    [[ -x $dir/bin/cargo-clippy && -x $dir/bin/cargo-fmt && -d $dir/lib/rustlib/wasm32-unknown-unknown/lib ]] && return
  done
  return 1
}

toolchain_complete || step "Rust $RUSTUP_TOOLCHAIN with clippy, rustfmt and the WebAssembly target (about 20 s)" \
  rustup toolchain install "$RUSTUP_TOOLCHAIN" --no-self-update --profile minimal \
  --component clippy --component rustfmt --target wasm32-unknown-unknown
