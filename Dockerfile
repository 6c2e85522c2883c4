# The image holds one static binary and nothing else: no shell, no libraries, no certificates (the binary has Mozilla's;
# mount others and name them in SSL_CERT_FILE or ca_file). It writes nowhere but to /data, where the hooks are kept, so its
# root can be read-only.
#
#   docker build -t hookglot .
#   docker buildx build --build-context build=DIR .     takes DIR/out/hookglot (and DIR/volume/data, empty) instead of building it
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# With --target, the flag for a static binary is not applied to build scripts and macros, which cannot be static.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" \
 && install -D -m 0755 "target/$target/release/hookglot" /out/hookglot \
 && install -d -o 65534 -g 65534 -m 0700 /volume/data

FROM scratch
COPY --from=build /out/ /
COPY --from=build --chown=65534:65534 /volume/ /
USER 65534:65534
ENV HOOKGLOT_LISTEN=0.0.0.0:8080 HOOKGLOT_ADMIN_LISTEN=0.0.0.0:9090 HOOKGLOT_DATA_DIR=/data
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=2s CMD ["/hookglot", "healthcheck"]
ENTRYPOINT ["/hookglot"]
CMD ["serve"]
