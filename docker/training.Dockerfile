# The lab on an x86 machine with an NVIDIA GPU; see training/README.md. Not yet run on a GPU.
#   docker build -f docker/training.Dockerfile -t farz:training .
#   docker run --rm --gpus all --shm-size 8g -v "$PWD/data:/data" farz:training train run --help
ARG CUDA_IMAGE=nvidia/cuda:12.6.3-runtime-ubuntu22.04

FROM ${CUDA_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Ultralytics brings the OpenCV with windows over the one without: put that back, as the Makefile does
RUN python3 -m venv /opt/farz \
 && /opt/farz/bin/pip install '.[train]' \
 && /opt/farz/bin/pip uninstall --yes opencv-python \
 && /opt/farz/bin/pip install --force-reinstall --no-deps opencv-python-headless
RUN bash docker/bill_of_materials.sh /opt/farz /opt/farz/share/farz/bill-of-materials

FROM ${CUDA_IMAGE}
LABEL org.opencontainers.image.title="farz-training" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 farz \
 && useradd --uid 10001 --gid farz --no-create-home --home-dir /data --shell /usr/sbin/nologin farz \
 && install --directory --owner=farz --group=farz /data
COPY --from=build /opt/farz /opt/farz
ENV PATH=/opt/farz/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
HEALTHCHECK NONE
ENTRYPOINT ["farz"]
CMD ["train", "--help"]
