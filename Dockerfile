# The image of Ottla: the program and the page's files, on a small Debian, as a user who may do nothing.
#
#   docker build --tag ottla .
#   docker run --rm --publish 127.0.0.1:3000:3000 ottla               with the embedded broker
#   docker run … ottla --brokers kafka-1:9092 --topics orders         with a Kafka of yours
#
# It is built by the scripts that build it everywhere else (scripts/setup.sh, scripts/build.sh), with Ottla's own code optimised in
# full and what it depends on at level 1, as it is measured (scripts/optimised.sh, docs/BENCHMARKS.md). From nothing that takes about 20
# minutes on two cores.

# The same Debian as below: the program is linked to its OpenSSL. scripts/setup.sh adds to Rust what rust-toolchain.toml names.
FROM rust:1.99.1-slim-bookworm AS build
WORKDIR /src

# The tools first: they change seldom.
COPY rust-toolchain.toml Cargo.lock ./
COPY scripts scripts
RUN scripts/setup.sh run

COPY . .
ENV CARGO_TARGET_DIR=/target
# What cargo keeps is kept for the next build, and is in no layer: so what is needed is copied out at once.
# The folder may hold another checkout's program, built on this machine too, which cargo would take for this one's by the files' times:
# scripts/own-target.sh cleans what is not its own, and all checkouts are /src here.
RUN --mount=type=cache,id=ottla-target,target=/target,sharing=locked \
    --mount=type=cache,id=ottla-registry,target=/usr/local/cargo/registry \
    { [ ! -f /target/checkout ] || echo another >/target/checkout; } \
    && scripts/build.sh --optimised \
    && mkdir /ottla \
    && cp -r /target/site /target/debug/hash.txt /target/debug/ottla /ottla/ \
    && strip /ottla/ottla

FROM debian:12.11-slim
# Certificates, for a Kafka with TLS; curl, for the health check. Not pinned, and the rest renewed: Debian keeps the newest of a release
# only, and that has the security fixes that came since the tag above.
# hadolint ignore=DL3005,DL3008
RUN apt-get update \
    && apt-get upgrade --yes \
    && apt-get install --yes --no-install-recommends ca-certificates curl libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /var/lib/ottla ottla \
    && install --directory --owner=ottla --group=ottla /var/lib/ottla
COPY --from=build /ottla /opt/ottla

# Inside a container others have to reach it. Publish the port to loopback, or put a proxy that asks who they are in front.
ENV OTTLA_SERVER__LISTEN=0.0.0.0:3000 \
    OTTLA_EMBEDDED__DATA_DIR=/var/lib/ottla
USER 10001
WORKDIR /var/lib/ottla
# The embedded broker's data; with a Kafka of its own Ottla writes nothing.
VOLUME /var/lib/ottla
EXPOSE 3000
# Ottla commits, leaves its group and tells every tab where to resume; it takes 10 s at most.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:3000/healthz"]
ENTRYPOINT ["/opt/ottla/ottla"]
