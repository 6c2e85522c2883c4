# The image holds one static binary, the list of what is in it (/usr/share/doc/hookglot/sbom.cdx.json) and nothing else: no
# shell, no libraries, no certificates (the binary has Mozilla's; mount others and name them in SSL_CERT_FILE or ca_file). It
# writes nowhere but to /data, where the hooks are kept, so its root can be read-only.
#
#   docker build -t hookglot .
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg REVISION="$(git rev-parse HEAD)" -t REGISTRY/hookglot --push .
#   docker buildx build --build-context build=DIR .     takes DIR/out (and DIR/volume/data, empty) instead of building them
#
# The compiler always runs on the machine that builds, and compiles for the other architecture: nothing is emulated.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95-bookworm AS build
ARG TARGETARCH
WORKDIR /src
COPY . .
RUN binary="$(sh scripts/static-binary.sh "$TARGETARCH")" \
 && triple="$(echo "$binary" | cut -d / -f 2)" \
 && install -D -m 0755 "$binary" /out/hookglot \
 && sh scripts/sbom.sh /out/usr/share/doc/hookglot/sbom.cdx.json "$triple" \
 && install -d -o 65534 -g 65534 -m 0700 /volume/data

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hookglot" \
      org.opencontainers.image.description="Translates GitLab and GitFlic hooks into each other and delivers them" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out/ /
COPY --from=build --chown=65534:65534 /volume/ /
USER 65534:65534
ENV HOOKGLOT_LISTEN=0.0.0.0:8080 HOOKGLOT_ADMIN_LISTEN=0.0.0.0:9090 HOOKGLOT_DATA_DIR=/data
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=2s CMD ["/hookglot", "healthcheck"]
ENTRYPOINT ["/hookglot"]
CMD ["serve"]
