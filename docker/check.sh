#!/usr/bin/env bash
# Everything in docker/ is looked at by its own linter; what is not installed here is named and left out.
#   docker/check.sh [FOLDER OF PROGRAMS]
set -euo pipefail

root="$(cd "$(dirname "$0")/.." && pwd)"
cd "$root"
PATH="${1:-.venv/bin}:$PATH"
unlinted=()

# ONLY names the one linter that is to look
has() {
  [ "${ONLY:-$1}" = "$1" ] || return 1
  command -v "$1" >/dev/null || {
    unlinted+=("$1")
    return 1
  }
}

if has hadolint; then
  hadolint --config docker/.hadolint.yaml docker/*.Dockerfile
fi
if has shellcheck; then
  shellcheck docker/*.sh docker/update/*.sh tests/install_system_packages.sh .ci/run
fi
if has yamllint; then
  yamllint --strict --config-file docker/.yamllint.yaml docker
fi
compose=()
if [ -z "${ONLY:-}" ] && docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif has docker-compose; then
  compose=(docker-compose)
fi
if [ "${#compose[@]}" -gt 0 ]; then
  export FARZ_SECRETS=/etc/farz/secrets
  for files in line "line jetson" split "split jetson" fleet; do
    arguments=()
    for one in $files; do
      arguments+=(--file "docker/compose.$one.yaml")
    done
    "${compose[@]}" "${arguments[@]}" config --quiet
  done
fi
if has systemd-analyze; then
  # the programs that units start are on a box, not here: empty ones stand in for them
  stand_in="$(mktemp -d)"
  trap 'rm -rf "$stand_in"' EXIT
  mkdir -p "$stand_in/etc/systemd/system"
  cp docker/systemd/*.service "$stand_in/etc/systemd/system"
  grep -ho '^Exec[A-Za-z]*=[^ ]*' docker/systemd/*.service | cut -d= -f2 | sort -u | while read -r program; do
    install -D /dev/null "$stand_in$program"
    chmod +x "$stand_in$program"
  done
  for unit in docker/systemd/*.service; do
    systemd-analyze verify --root="$stand_in" --recursive-errors=no --man=no "$(basename "$unit")"
  done
fi
echo "docker/: looked at by all linters that are here${unlinted:+; not installed: ${unlinted[*]}}"
