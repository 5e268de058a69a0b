// The operator's buttons: they ask, the line decides, and what it decided is the mode that comes back.

import { settings, text } from "./words.js";
import { onHeld } from "./hold.js";

export const ANSWER_SHOWN_MS = 4000;

const buttons = [...document.querySelectorAll("[data-request]")];
const answer = document.getElementById("request-answer");
let answerTimer = 0;

/** Offer what the line's mode allows; Stop stays whenever anything can be asked, because stopping never harms. */
export function offer(mode) {
  const offered = mode !== null && !mode.is_stale ? mode.value.offered : [];
  for (const button of buttons) {
    const kind = button.dataset.request;
    button.disabled = !settings.mayAct || !(offered.includes(kind) || kind === "stop");
    button.hidden = !isInPlace(kind, offered);
  }
}

// The first button always leads towards running: one of Start, Resume, Reset.
function isInPlace(kind, offered) {
  if (kind === "unhold" || kind === "reset") return offered.includes(kind);
  return kind !== "start" || !(offered.includes("unhold") || offered.includes("reset"));
}

/** Ask the line for something; the words that say whether it was taken. */
export async function post(address, body = null) {
  try {
    const headers = { "X-Csrf-Token": document.body.dataset.csrf };
    const response = await fetch(address, { method: "POST", headers, body });
    if (response.status === 403) return text("request.forbidden");
    return text(response.ok ? "request.sent" : "request.refused");
  } catch {
    return text("request.refused");
  }
}

/** Say what became of something that was asked. */
export function say(words) {
  answer.hidden = words === "";
  if (answer.textContent !== words) answer.textContent = words;
  clearTimeout(answerTimer);
  if (words !== "") answerTimer = setTimeout(() => say(""), ANSWER_SHOWN_MS);
}

async function ask(button) {
  const name = (button.querySelector(".words") ?? button).textContent.trim();
  say(`${name}: ${await post(`/requests/${button.dataset.request}`)}`);
}

for (const button of buttons) {
  if ("hold" in button.dataset) onHeld(button, () => ask(button));
  else button.addEventListener("click", () => ask(button));
}
