# shellcheck shell=bash
# Sourced by setup.sh. What Rust can't bring itself: a C compiler and cmake for librdkafka and SQLite, two libraries' headers,
# brotli for the page's files, curl to ask instances whether they are up.

missing=()
has cc || missing+=(build-essential)
has cmake || missing+=(cmake)
has pkg-config || missing+=(pkg-config)
if has pkg-config; then
  pkg-config --exists libssl || missing+=(libssl-dev)
  pkg-config --exists libcurl || missing+=(libcurl4-openssl-dev)
else
  missing+=(libssl-dev libcurl4-openssl-dev)
fi
has brotli || missing+=(brotli)
has curl || missing+=(curl ca-certificates)

[[ ${#missing[@]} == 0 ]] || packages "the build" \
  "a C compiler, cmake, pkg-config, the headers of OpenSSL and curl, brotli, curl" "${missing[@]}"
