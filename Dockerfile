# Images of the server and of a worker. `docker compose up --build` uses both; the targets by hand:
#   docker build --target server -t slipway-server .
#   docker build --target worker -t slipway-worker .
# With --build-arg PREBUILT=yes they pack what `./run build` has left in build/release and web/dist (on
# Debian 12) instead of compiling once more.
ARG PREBUILT=no
FROM debian:bookworm-slim AS build
ARG PREBUILT
WORKDIR /src
# The packages change less often than the sources: a layer of their own.
COPY run ./run
COPY tests/tools ./tests/tools
RUN [ "$PREBUILT" = yes ] || { ./run packages build && rm -rf /var/lib/apt/lists/*; }
COPY . .
RUN [ "$PREBUILT" = yes ] || { rm -rf build web/dist && ./run build slipway && strip build/release/cli/slipway-complete build/release/lib/slipway/slipway-tls.so && ./run build web; }

# What the one binary needs to run in any role.
FROM debian:bookworm-slim AS base
RUN apt-get -q update \
    && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install ca-certificates git tini \
        libqt6core6 libpocofoundation80 libpoconet80 libpoconetssl80 libpococrypto80 libpocoutil80 libpocojson80 libyaml-cpp0.7 libgit2-1.5 \
        libsqlite3-0 libfmt9 libsodium23 libarchive13 libzstd1 libssl3 libprometheus-cpp-core1.0 \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
# The complete program alone: in an image nobody waits for `validate`.
COPY --from=build /src/build/release/cli/slipway-complete /usr/local/bin/slipway
COPY --from=build /src/build/release/lib/slipway/slipway-tls.so /usr/local/lib/slipway/slipway-tls.so
ENTRYPOINT ["tini", "--"]

FROM base AS server
COPY --from=build /src/web/dist /usr/local/share/slipway/web
RUN useradd --system --create-home --home-dir /var/lib/slipway slipway
ENV SLIPWAY_DATA=/var/lib/slipway/data
USER slipway
VOLUME /var/lib/slipway
EXPOSE 8480
CMD ["slipway", "server", "--data", "/var/lib/slipway/data", "--listen", "0.0.0.0:8480", "--web", "/usr/local/share/slipway/web"]

# A worker with the tools that container pipelines use. Add your own compilers: FROM slipway-worker.
FROM base AS worker
RUN apt-get -q update \
    && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install docker.io docker-compose \
        kubernetes-client curl jq make gcc libc6-dev \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
# Container jobs need it to be a folder of the host at the same path (docs/worker.md).
VOLUME /var/lib/slipway-worker
# The registration token is made with the operator's token, which the server keeps in its data; it is
# needed once, afterwards the worker's identity file in its own volume is enough.
COPY examples/compose/worker-entrypoint /usr/local/bin/worker-entrypoint
CMD ["worker-entrypoint"]
