#!/usr/bin/env bash
# Keep the booted system if the line gets well within the time; else mark it bad and reboot into the one before.
set -euo pipefail

page="${FARZ_PAGE:-http://127.0.0.1:8420}"
wait_s="${FARZ_CONFIRM_WAIT_S:-600}"
well_for="${FARZ_CONFIRM_WELL_FOR:-30}"
pause_s="${FARZ_CONFIRM_PAUSE_S:-1}"

is_well() {
  curl --silent --fail --max-time 3 --output /dev/null "$page/healthz"
}

# once is luck: the line must be well so many times in a row
well=0
for ((tried = 0; tried < wait_s; tried++)); do
  if is_well; then
    well=$((well + 1))
  else
    well=0
  fi
  if ((well >= well_for)); then
    rauc status mark-good
    echo "the line is well: this system is kept"
    exit 0
  fi
  sleep "$pause_s"
done

echo "the line did not get well in $wait_s tries: booting the system before" >&2
rauc status mark-bad
systemctl reboot
exit 1
