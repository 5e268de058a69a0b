// The band at the top: in which mode the line is, what is wrong, and that it lives.

import { setText } from "./drawing.js";
import { duration, number, text } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Show the mode, and why it is so. */
export function showMode(mode) {
  const name = mode === null || mode.is_stale ? "unknown" : mode.value.mode;
  $("mode").dataset.mode = name;
  useMark($("mode"), markOfMode(name));
  setText($("mode-name"), text(`mode.${name}`));
  if (mode === null) return;
  setText($("mode-reason"), mode.is_stale ? text("stale") : mode.value.reason);
  setText($("mode-age"), text("picture.age", { age: duration(mode.is_stale ? mode.age_s : mode.value.mode_s) }));
}

/** Show how many alarms there are, and how urgent the worst is. */
export function showAlarms(alarms) {
  const level = alarms.worst ?? "none";
  $("alarms-tile").dataset.level = alarms.unacknowledged_count > 0 ? level : alarms.active_count > 0 ? "seen" : "none";
  useMark($("alarms-tile"), `mark-${alarms.active_count > 0 ? `alarm-${level}` : "ok"}`);
  setText($("alarms-count"), number(alarms.active_count));
  const shelved = alarms.shelved_count > 0 ? ` · ${text("alarms.shelved_count", { n: number(alarms.shelved_count) })}` : "";
  setText($("alarms-words"), (alarms.active_count > 0 ? text("alarms.active") : text("alarms.none")) + shelved);
}

let isBeat = false;

/** Each state that comes while the line speaks is a beat: the mark changes its shape. */
export function showHeartbeat({ line_silent_s: silent_s }) {
  const isAlive = silent_s !== null && silent_s < 1.5;
  isBeat = isAlive && !isBeat;
  $("heartbeat").dataset.beat = isAlive ? "alive" : "silent";
  useMark($("heartbeat"), isAlive ? (isBeat ? "mark-ok" : "mark-idle") : "mark-silent");
  setText($("heartbeat-words"), isAlive ? text("heartbeat.alive") : text("heartbeat.silent"));
}

/** Nothing comes any more, so nothing beats. */
export function stopHeartbeat() {
  $("heartbeat").dataset.beat = "silent";
  useMark($("heartbeat"), "mark-silent");
  setText($("heartbeat-words"), text("heartbeat.silent"));
}

function markOfMode(name) {
  const acting = { resetting: "starting", unholding: "starting", unsuspending: "starting", clearing: "starting",
    holding: "held", suspending: "suspended", stopping: "stopped", aborting: "aborted" };
  return `mark-${acting[name] ?? name}`;
}

function useMark(element, id) {
  const use = element.querySelector("use");
  if (use.getAttribute("href") !== `#${id}`) use.setAttribute("href", `#${id}`);
}
