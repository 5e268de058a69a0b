#!/usr/bin/env bash
# What tests need beside Python: a browser for the page, the minisign tool that signatures are compared with, and what
# firing is measured beside (cyclictest) and under (stress-ng), and the servers that a fleet and a plant bring: PostgreSQL
# and the MQTT broker Mosquitto, which tests start themselves.
# Installed where we may; elsewhere the tests that need them skip.
set -euo pipefail

missing=()
for package in chromium minisign; do
  command -v "$package" >/dev/null || missing+=("$package")
done
command -v cyclictest >/dev/null || missing+=(rt-tests)
command -v stress-ng >/dev/null || missing+=(stress-ng)
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
