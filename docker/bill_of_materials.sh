#!/usr/bin/env bash
# What is in an image: every Python package as a CycloneDX bill and as a list with licences, and every system package.
#   bill_of_materials.sh ENVIRONMENT FOLDER
# The tools live in an environment of their own, so that they are not in the bill.
set -euo pipefail

environment="$1"
folder="$2"
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT

python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8' 'pip-licenses>=5,<6'
mkdir -p "$folder"
"$tools/venv/bin/cyclonedx-py" environment "$environment/bin/python" --output-format JSON \
  --output-reproducible --output-file "$folder/python.cdx.json"
"$tools/venv/bin/pip-licenses" --python="$environment/bin/python" --from=mixed --format=markdown \
  --output-file="$folder/licences.md" >/dev/null
if command -v dpkg-query >/dev/null; then
  # shellcheck disable=SC2016 # these are dpkg's own fields
  dpkg-query --show --showformat='${Package}\t${Version}\t${source:Package}\n' >"$folder/system-packages.tsv"
fi
