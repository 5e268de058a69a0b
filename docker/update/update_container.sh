#!/usr/bin/env bash
# Put another image in the place of the running one, and take it back unless its health check says that it is well.
#   update_container.sh IMAGE [COMPOSE_FILE…]
# The image that runs is written in FARZ_STATE/image; the one before in FARZ_STATE/image.before.
set -euo pipefail

wanted="$1"
shift
state="${FARZ_STATE:-/var/lib/farz-update}"
wait_s="${FARZ_UPDATE_WAIT_S:-300}"
pause_s="${FARZ_UPDATE_PAUSE_S:-1}"
files=(--project-name "${FARZ_PROJECT:-farz-line}")
for file in "${@:-docker/compose.line.yaml}"; do
  files+=(--file "$file")
done

run_image() {
  FARZ_IMAGE="$1" docker compose "${files[@]}" up --detach --no-build line
}

health() {
  docker inspect --format '{{.State.Health.Status}}' "$(docker compose "${files[@]}" ps --quiet line)" 2>/dev/null
}

gets_well() {
  for ((tried = 0; tried < wait_s; tried++)); do
    case "$(health)" in
      healthy) return 0 ;;
      unhealthy) return 1 ;;
    esac
    sleep "$pause_s"
  done
  return 1
}

mkdir -p "$state"
before="$(cat "$state/image" 2>/dev/null || true)"
docker image inspect "$wanted" >/dev/null 2>&1 || docker pull "$wanted"
if run_image "$wanted" && gets_well; then
  if [ -n "$before" ]; then
    echo "$before" >"$state/image.before"
  fi
  echo "$wanted" >"$state/image"
  echo "$wanted runs and is well"
  exit 0
fi
echo "$wanted does not get well" >&2
if [ -z "$before" ]; then
  echo "there is no image to go back to" >&2
  exit 1
fi
run_image "$before"
echo "back to $before" >&2
exit 1
