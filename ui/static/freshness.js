// Says when what is on the screen is old, by the page's own clock, because a line that has died cannot say so.

import { duration, settings, text } from "./words.js";

const STATE_LIMIT_MS = 1500;
const LOOK_EVERY_MS = 200;

const notice = document.getElementById("notice");
const noticeText = document.getElementById("notice-text");
const noticeAge = document.getElementById("notice-age");

let stateAt_ms = performance.now();
let pictureAt_ms = null;
let reported = "missing";
let isDeciding = false;

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
  look();
}

function condition(now_ms) {
  if (now_ms - stateAt_ms > STATE_LIMIT_MS) return "lost";
  if (reported === "standing") return "standing";
  if (pictureAt_ms === null) return "missing";
  if (reported === "stale" || now_ms - pictureAt_ms > settings.pictureStaleAfterMs) return "stale";
  return isDeciding ? "live" : "undecided";
}

function look() {
  const now_ms = performance.now();
  const found = condition(now_ms);
  document.body.classList.toggle("is-lost", found === "lost");
  document.body.dataset.picture = found;
  notice.dataset.condition = found;
  notice.hidden = found === "live";
  if (found === "live") return;
  setText(noticeText, text(`picture.${found}`));
  setText(noticeAge, age(found, now_ms));
}

function age(found, now_ms) {
  if (found === "missing" || found === "undecided") return "";
  const since_ms = found === "lost" ? stateAt_ms : (pictureAt_ms ?? stateAt_ms);
  return text("picture.age", { age: duration((now_ms - since_ms) / 1000) });
}

// A status region is read aloud on every change: only real ones may count.
function setText(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

document.addEventListener("visibilitychange", () => {
  stateAt_ms = performance.now();
  if (pictureAt_ms !== null) pictureAt_ms = stateAt_ms;
});
setInterval(look, LOOK_EVERY_MS);
