// Says when what is on the screen is old, by the page's own clock, because a line that has died cannot say so.

import { stopHeartbeat } from "./band.js";
import { setText } from "./drawing.js";
import { duration, settings, text } from "./words.js";

const STATE_LIMIT_MS = 1500;
const LOOK_EVERY_MS = 200;
const DEAD = new Set(["silent", "fault", "unheard"]);

const banner = document.getElementById("stale-banner");
const listeners = [];

let stateAt_ms = performance.now();
let pictureAt_ms = null;
let reported = "missing";
let isDeciding = false;
let sorter = "starting";

/** Have told, five times a second, how what is shown is: the link, and the picture with its age in seconds. */
export function onFreshness(take) {
  listeners.push(take);
}

/** A picture has arrived. */
export function notePicture() {
  pictureAt_ms = performance.now();
  look();
}

/** A state has arrived. */
export function noteState(state) {
  stateAt_ms = performance.now();
  reported = state.picture;
  isDeciding = state.is_deciding;
  sorter = state.processes.find((process) => process.name === "sorter")?.status ?? "unheard";
  look();
}

function linkCondition(now_ms) {
  if (now_ms - stateAt_ms > STATE_LIMIT_MS) return "lost";
  return DEAD.has(sorter) ? "silent" : "live";
}

function pictureCondition(now_ms) {
  if (now_ms - stateAt_ms > STATE_LIMIT_MS) return "lost";
  if (reported === "standing") return "standing";
  if (pictureAt_ms === null) return "missing";
  if (reported === "stale" || now_ms - pictureAt_ms > settings.pictureStaleAfterMs) return "stale";
  return isDeciding ? "live" : "undecided";
}

function look() {
  const now_ms = performance.now();
  const link = linkCondition(now_ms);
  document.body.dataset.link = link;
  banner.hidden = link === "live";
  if (link !== "live") {
    setText(document.getElementById("stale-words"), text(`link.${link}`));
    setText(document.getElementById("stale-age"), link === "lost" ? since(stateAt_ms, now_ms) : "");
  }
  if (link === "lost") stopHeartbeat();
  const picture = pictureCondition(now_ms);
  const from_ms = picture === "lost" ? stateAt_ms : (pictureAt_ms ?? stateAt_ms);
  for (const take of listeners) take(picture, since(from_ms, now_ms));
}

function since(from_ms, now_ms) {
  return text("picture.age", { age: duration((now_ms - from_ms) / 1000) });
}

document.addEventListener("visibilitychange", () => {
  stateAt_ms = performance.now();
  if (pictureAt_ms !== null) pictureAt_ms = stateAt_ms;
});
setInterval(look, LOOK_EVERY_MS);
