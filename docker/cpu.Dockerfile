# A line on any x86 or Arm processor (linux/amd64, linux/arm64): OpenVINO or ONNX Runtime, no GPU.
#   docker buildx build --platform linux/amd64,linux/arm64 -f docker/cpu.Dockerfile -t farz:cpu .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim

# what the screens load of others, at the versions that are locked, if there is anything; node itself stays here
FROM ${NODE_IMAGE} AS screens
WORKDIR /src/ui
COPY ui .
RUN if [ -f package-lock.json ]; then \
      npm ci --ignore-scripts --no-audit --no-fund \
      && mkdir -p static/vendor \
      && xargs -a vendor_files.txt -I{} cp node_modules/{} static/vendor/ \
      && rm -rf node_modules; \
    fi

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY . .
COPY --from=screens /src/ui ui
RUN python -m venv /opt/farz \
 && /opt/farz/bin/pip install '.[fleet,gpio,modbus,plant,serial]'
RUN bash docker/bill_of_materials.sh /opt/farz /opt/farz/share/farz/bill-of-materials

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="farz" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
# 10001: a number that no host gives to anybody; the groups of a host's devices come by compose (group_add)
RUN groupadd --gid 10001 farz \
 && useradd --uid 10001 --gid farz --no-create-home --home-dir /var/lib/farz --shell /usr/sbin/nologin farz \
 && install --directory --owner=farz --group=farz /var/lib/farz
COPY --from=build /opt/farz /opt/farz
ENV PATH=/opt/farz/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_RUNTIME_DIR=/run/farz \
    XDG_CACHE_HOME=/var/lib/farz/cache
USER 10001:10001
WORKDIR /var/lib/farz
VOLUME /var/lib/farz
EXPOSE 8420
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8420/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["farz"]
CMD ["run", "--config", "/etc/farz/line.toml"]
