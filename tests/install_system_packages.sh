#!/usr/bin/env bash
# What tests need beside Python: a browser for the page. Installed where we may; elsewhere the browser tests skip.
set -euo pipefail

if command -v chromium >/dev/null; then
  exit 0
fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
  echo "chromium is not installed and cannot be installed from here: the tests of the page will be skipped" >&2
fi
