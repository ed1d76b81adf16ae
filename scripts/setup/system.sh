# shellcheck shell=bash
# Sourced by setup.sh. What Rust can't bring itself: compilers for C and C++, make and cmake for librdkafka and SQLite, headers,
# brotli for the page's files, curl to ask instances whether they are up.

missing=()
{ has cc && has c++ && has make; } || missing+=(build-essential)
has cmake || missing+=(cmake)
has pkg-config || missing+=(pkg-config)
if has pkg-config; then
  pkg-config --exists libssl || missing+=(libssl-dev)
  pkg-config --exists zlib || missing+=(zlib1g-dev)
  pkg-config --exists libcurl || missing+=(libcurl4-openssl-dev)
else
  missing+=(libssl-dev zlib1g-dev libcurl4-openssl-dev)
fi
has brotli || missing+=(brotli)
has curl || missing+=(curl ca-certificates)

[[ ${#missing[@]} == 0 ]] || packages "the build" \
  "compilers for C and C++, make, cmake, pkg-config, the headers of OpenSSL, zlib and curl, brotli, curl" "${missing[@]}"
