# A line on a Jetson with JetPack 6 (TensorRT 10.3, CUDA 12.6, Python 3.10); not yet built or run on a device.
#   docker build -f docker/jetson.Dockerfile -t farz:jetson .
# Both images are NVIDIA's own for Jetson Linux 36.4: pull them first and tag them so, or name them in full by --build-arg.
ARG JETPACK_IMAGE=l4t-jetpack:r36.4.0
ARG RUNTIME_IMAGE=l4t-tensorrt:r10.3.0-runtime
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

FROM ${JETPACK_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/usr/local/cuda/bin:$PATH
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ python3-dev python3-libnvinfer python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
COPY --from=screens /src/ui ui
# TensorRT's Python module is the system's; pycuda is built against this very CUDA; the kernels for the GPU of Orin are
# compiled here, so that the image that runs needs no compiler
RUN python3 -m venv --system-site-packages /opt/farz \
 && /opt/farz/bin/pip install '.[fleet,gpio,jetson,modbus,plant,serial]' \
 && /opt/farz/bin/python -I -c "from vision.cuda.nvcc import build_fatbin; from vision.cuda.device import FATBIN_PATH; print(build_fatbin(FATBIN_PATH, ['sm_87']))" \
 && bash docker/bill_of_materials.sh /opt/farz /opt/farz/share/farz/bill-of-materials

FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="farz-jetson" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-bad gstreamer1.0-plugins-good gstreamer1.0-tools \
      python3 python3-gi python3-libnvinfer \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 farz \
 && useradd --uid 10001 --gid farz --no-create-home --home-dir /var/lib/farz --shell /usr/sbin/nologin farz \
 && install --directory --owner=farz --group=farz /var/lib/farz
COPY --from=build /opt/farz /opt/farz
ENV PATH=/opt/farz/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_RUNTIME_DIR=/run/farz \
    XDG_CACHE_HOME=/var/lib/farz/cache \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=all
USER 10001:10001
WORKDIR /var/lib/farz
VOLUME /var/lib/farz
EXPOSE 8420
# the first start builds an engine, which takes minutes; the page answers meanwhile
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
    CMD ["python3", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8420/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["farz"]
CMD ["run", "--config", "/etc/farz/line.toml", "--detector", "tensorrt"]
