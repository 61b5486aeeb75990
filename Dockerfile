# One image with every program of the home side, for amd64 and arm64. They are one executable with eight names, a third
# of what seven would take. For a Raspberry Pi, and into its k3s:
#
#   buildah build --format docker --layers --platform linux/arm64 --tag localhost/porchlight:0.1.0 \
#     --build-arg BUILDPLATFORM=linux/$(buildah info --format '{{.host.arch}}') .
#   buildah push -q localhost/porchlight:0.1.0 docker-archive:/dev/stdout:localhost/porchlight:0.1.0 |
#     ssh pi sudo k3s ctr images import -
#
# and for both platforms: --platform linux/amd64,linux/arm64 --manifest NAME instead of --platform and --tag.
# The operator has an image of its own, which is built beside it: --target operator --tag localhost/porchlight-operator:0.1.0.
# `--format docker` because buildah's own, OCI's, has no word for HEALTHCHECK, which it leaves out then.
# The machine that builds compiles for both itself, so that nothing is emulated. It has to be named because buildah up to
# that of Debian 12 takes the platform that is built for in its place. buildah is what is tested; BuildKit and podman build
# know all that is asked of them here, but are untested.

# The version is that of rust-toolchain.toml, which is not used here: the base brings its toolchain.
ARG BUILD_BASE=docker.io/library/rust:1.95.0-bookworm
ARG FINAL_BASE=scratch

FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS build

# zig is the C compiler and the linker for musl on both platforms. A base that has it already is used as it is.
RUN command -v cargo-zigbuild > /dev/null || { \
      apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/* && \
      pip install --no-cache-dir --break-system-packages cargo-zigbuild==0.24.0 ziglang==0.17.1; \
    }

WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY shared shared
COPY lambda-prober lambda-prober
COPY home-beacon home-beacon
COPY infra infra
# The workspace names the tests, so cargo wants to find them; what is in them is not needed.
COPY tests/Cargo.toml tests/Cargo.toml
RUN mkdir -p tests/src tests/benches/speed && \
    touch tests/src/lib.rs tests/benches/speed/main.rs

# Dependencies stay compiled in the cache, which outlives a change of the source. It outlives a change to older files too,
# which cargo would take for compiled: so ours are touched. Each platform has a cache of its own, so that both can be built
# at once. zig opens more files than shells are allowed at first. Why no jitter is gathered is told in .cargo/config.toml,
# which is not here.
ARG TARGETARCH
ARG PROFILE=release
RUN --mount=type=cache,id=porchlight-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=porchlight-target,target=/target \
    set -eu; ulimit -n "$(ulimit -Hn)"; \
    case "$TARGETARCH" in \
      amd64) target=x86_64-unknown-linux-musl ;; \
      arm64) target=aarch64-unknown-linux-musl ;; \
      *) echo "there is no image for $TARGETARCH: amd64 and arm64 are the platforms" >&2; exit 1 ;; \
    esac; \
    if command -v rustup > /dev/null; then rustup target add "$target"; fi; \
    find shared lambda-prober home-beacon infra -type f -exec touch {} +; \
    export CARGO_TARGET_DIR="/target/$TARGETARCH" CARGO_INCREMENTAL=0; \
    export AWS_LC_SYS_NO_JITTER_ENTROPY=1; \
    export CARGO_ZIGBUILD_CACHE_DIR="$CARGO_TARGET_DIR/zigbuild" ZIG_GLOBAL_CACHE_DIR="$CARGO_TARGET_DIR/zig"; \
    cargo zigbuild --locked --profile "$PROFILE" --target "$target" --package infra --bin porchlight; \
    mkdir -p /out/bin /out/certs /out/data; \
    cp "$CARGO_TARGET_DIR/$target/$PROFILE/porchlight" /out/bin/; \
    for program in beacon keeper ping bandwidth dns checks heartbeat node-metrics; do ln -s porchlight "/out/bin/$program"; done; \
    cp /etc/ssl/certs/ca-certificates.crt /out/certs/

# The operator, and check-runner, which it copies into each script's pod: apart, so that the home side neither waits for them nor gets
# larger, by what is compiled already where both want the same of it.
FROM build AS build-operator
ARG TARGETARCH
ARG PROFILE=release
RUN --mount=type=cache,id=porchlight-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=porchlight-target,target=/target \
    set -eu; ulimit -n "$(ulimit -Hn)"; \
    case "$TARGETARCH" in amd64) target=x86_64-unknown-linux-musl ;; *) target=aarch64-unknown-linux-musl ;; esac; \
    find shared home-beacon -type f -exec touch {} +; \
    export CARGO_TARGET_DIR="/target/$TARGETARCH" CARGO_INCREMENTAL=0; \
    export AWS_LC_SYS_NO_JITTER_ENTROPY=1; \
    export CARGO_ZIGBUILD_CACHE_DIR="$CARGO_TARGET_DIR/zigbuild" ZIG_GLOBAL_CACHE_DIR="$CARGO_TARGET_DIR/zig"; \
    cargo zigbuild --locked --profile "$PROFILE" --target "$target" --package operator --package check-runner --bins; \
    mkdir -p /out/operator; \
    cp "$CARGO_TARGET_DIR/$target/$PROFILE/operator" "$CARGO_TARGET_DIR/$target/$PROFILE/check-runner" /out/operator/

FROM ${FINAL_BASE} AS operator
COPY --from=build /out/certs /etc/ssl/certs
COPY --from=build-operator /out/operator /usr/local/bin
ENV PATH=/usr/local/bin
USER 65532:65532
ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="porchlight-operator" \
      org.opencontainers.image.description="Porchlight's operator: checks as Kubernetes objects, each script in a Job of its own" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"

FROM ${FINAL_BASE}
COPY --from=build /out/certs /etc/ssl/certs
# A volume that is mounted here begins with this owner.
COPY --from=build --chown=65532:65532 /out/data /var/lib/porchlight
COPY --from=build /out/bin /usr/local/bin
# Where SQLite sorts what does not fit into memory: there is no /tmp.
ENV PATH=/usr/local/bin SQLITE_TMPDIR=/var/lib/porchlight
USER 65532:65532
# Asks the program that the container was started for; a job has no port, and is well for as long as it runs. podman and Docker
# say so, and restart nothing for it; Kubernetes has probes of its own, and ignores it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/local/bin/porchlight", "health"]

ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="porchlight" \
      org.opencontainers.image.description="The home side of Porchlight: beacon, keeper, ping, bandwidth, dns, checks, heartbeat, node-metrics, and the porchlight tool" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
