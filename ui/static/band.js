// The band at the top: in which mode the line is, what is wrong, and that it lives.

import { setText } from "./drawing.js";
import { duration, knows, number, text } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Show the mode, and why it is so. */
export function showMode(mode) {
  const name = mode === null || mode.is_stale ? "unknown" : mode.value.mode;
  $("mode").dataset.mode = name;
  useMark($("mode"), markOfMode(name));
  setText($("mode-name"), text(`mode.${name}`));
  if (mode === null) return;
  setText($("mode-reason"), mode.is_stale ? text("stale") : reasonWords(mode.value.reason));
  setText($("mode-age"), text("picture.age", { age: duration(mode.is_stale ? mode.age_s : mode.value.mode_s) }));
}

/** Show how many alarms there are, and how urgent the worst is. */
export function showAlarms(alarms) {
  const isActive = alarms.active_count > 0;
  const isOver = !isActive && alarms.unacknowledged_count > 0;
  $("alarms-tile").dataset.level = isActive ? (alarms.is_seen ? "seen" : alarms.worst) : isOver ? "seen" : "none";
  useMark($("alarms-tile"), isActive ? `mark-alarm-${alarms.worst}` : isOver ? "mark-degraded" : "mark-ok");
  setText($("alarms-count"), number(isActive ? alarms.active_count : alarms.unacknowledged_count));
  const shelved = alarms.shelved_count > 0 ? ` · ${text("alarms.shelved_count", { n: number(alarms.shelved_count) })}` : "";
  setText($("alarms-words"), text(isActive ? "alarms.active" : isOver ? "alarms.over" : "alarms.none") + shelved);
}

let isBeat = false;

/** Each state that comes while the line speaks is a beat: the mark changes its shape. */
export function showHeartbeat({ line_silent_s: silent_s, processes }) {
  const sorter = processes.find((process) => process.name === "sorter")?.status;
  const isAlive = silent_s !== null && silent_s < 1.5 && !["silent", "fault", "unheard"].includes(sorter);
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

// The line says its reasons in sentences of its own; who asked for something stands in them by name.
function reasonWords(reason) {
  const [, kind, who] = /^(\w+) by (.+)$/.exec(reason) ?? [];
  if (kind && knows(`request.${kind}`)) {
    const name = ["local", "nobody", "network"].includes(who) ? text(`user.${who}`) : who;
    return text("mode_reason_by", { what: text(`request.${kind}`), who: name });
  }
  return knows(`mode_reason.${reason}`) ? text(`mode_reason.${reason}`) : reason;
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
