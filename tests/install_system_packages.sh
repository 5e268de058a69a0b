#!/usr/bin/env bash
# What tests need beside Python: a browser for the page, the minisign tool that signatures are compared with, and what
# firing is measured beside (cyclictest) and under (stress-ng); a C++ compiler, linters of units and compose files, and the
# servers that a fleet and a plant bring: PostgreSQL and the MQTT broker Mosquitto, which tests start themselves.
# Installed where we may; elsewhere the tests that need them skip.
set -euo pipefail

missing=()
for package in chromium minisign; do
  command -v "$package" >/dev/null || missing+=("$package")
done
command -v cyclictest >/dev/null || missing+=(rt-tests)
command -v stress-ng >/dev/null || missing+=(stress-ng)
# GStreamer and its Python binding, for one real pipeline
[ -d /usr/lib/python3/dist-packages/gi ] || missing+=(python3-gi)
ls /usr/lib/*/girepository-1.0/GstApp-1.0.typelib >/dev/null 2>&1 || missing+=(gir1.2-gst-plugins-base-1.0)
ls /usr/lib/*/gstreamer-1.0/libgstvideotestsrc.so >/dev/null 2>&1 || missing+=(gstreamer1.0-plugins-base)
# g++ builds the CUDA kernels for the host; the other two look at docker/
command -v g++ >/dev/null || missing+=(g++)
command -v systemd-analyze >/dev/null || missing+=(systemd)
docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || missing+=(docker-compose)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null || missing+=(mosquitto)
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "${missing[*]} not installed and not to be installed from here: the tests that need it will be skipped" >&2
fi
