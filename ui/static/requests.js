// The operator's buttons: they ask, the line decides, and what it decided is the mode that comes back.

import { settings, text } from "./words.js";

export const ANSWER_SHOWN_MS = 3000;

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
  if (!settings.mayAct) say(text("request.elsewhere"));
}

// The first button always leads towards running: one of Start, Resume, Reset.
function isInPlace(kind, offered) {
  if (kind === "unhold" || kind === "reset") return offered.includes(kind);
  return kind !== "start" || !(offered.includes("unhold") || offered.includes("reset"));
}

/** Ask the line for something; the words that say whether it was taken. */
export async function post(address) {
  try {
    return text((await fetch(address, { method: "POST" })).ok ? "request.sent" : "request.refused");
  } catch {
    return text("request.refused");
  }
}

async function ask(button) {
  const name = button.textContent;
  say(`${name}: ${await post(`/requests/${button.dataset.request}`)}`);
  clearTimeout(answerTimer);
  answerTimer = setTimeout(() => say(""), ANSWER_SHOWN_MS);
}

function say(words) {
  if (answer.textContent !== words) answer.textContent = words;
}

for (const button of buttons) button.addEventListener("click", () => ask(button));
