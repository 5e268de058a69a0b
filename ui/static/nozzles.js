// The Stations screen: nozzles' health anew every few seconds, and a shot by hand that lasts as long as a finger does.

import { onState } from "./frame.js";
import { setText } from "./drawing.js";
import { holding } from "./hold.js";
import { post } from "./requests.js";
import { number, text } from "./words.js";

const REFRESH_MS = 3000;
const REPEAT_MS = 100;
const field = document.getElementById("nozzles");
const fire = document.getElementById("hand-fire");
const output = document.getElementById("hand-nozzle");
let refreshedAt_ms = performance.now();
let nozzle = 0;

onState(async ({ mode }) => {
  if (fire) fire.disabled = mode === null || mode.is_stale || mode.value.mode !== "stopped";
  const now_ms = performance.now();
  if (now_ms - refreshedAt_ms < REFRESH_MS) return;
  refreshedAt_ms = now_ms;
  const response = await fetch("/stations/nozzles");
  if (response.ok) field.innerHTML = await response.text();
});

function station() {
  return document.querySelector("input[name=hand-station]:checked");
}

function step(by) {
  nozzle = Math.max(0, Math.min(Number(station().dataset.count) - 1, nozzle + by));
  setText(output, number(nozzle));
}

// One question after the other while the button is down; the first that is not asked closes the nozzle.
let isDown = false;

async function press() {
  if (isDown || fire.disabled) return;
  isDown = true;
  fire.classList.add("is-held");
  while (isDown) {
    const answer = await post(`/stations/${station().value}/nozzles/${nozzle}/hold`);
    setText(document.getElementById("hand-answer"), answer);
    if (answer !== text("request.sent")) release();
    await new Promise((resolve) => setTimeout(resolve, REPEAT_MS));
  }
}

function release() {
  isDown = false;
  fire.classList.remove("is-held");
}

if (fire) {
  for (const button of document.querySelectorAll("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
  for (const choice of document.querySelectorAll("input[name=hand-station]")) choice.addEventListener("change", () => step(0));
  holding(fire, press, release);
}
