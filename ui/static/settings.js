// The Settings screen: measuring this display with a bank card, and a PIN pad for a new user.

import { setText } from "./drawing.js";

const root = document.documentElement;
const STEP_RATIO = 0.01;
let mm = Number(root.dataset.mm);

for (const button of document.querySelectorAll("[data-scale]")) {
  button.addEventListener("click", () => {
    mm *= 1 + STEP_RATIO * Number(button.dataset.scale);
    root.style.setProperty("--mm", `${mm}px`);
  });
}

document.getElementById("keep-scale").addEventListener("click", async () => {
  const headers = { "X-Csrf-Token": document.body.dataset.csrf };
  await fetch("/settings/display", { method: "POST", headers, body: new URLSearchParams({ mm: mm.toFixed(3) }) });
  location.reload();
});

// The form is put in anew with every change of the users, so the page listens as a whole.
document.getElementById("users").addEventListener("click", ({ target }) => {
  const { digit, clear } = target.dataset;
  if (digit === undefined && clear === undefined) return;
  const field = target.form ?? target.closest("form");
  const pin = field.elements.pin;
  pin.value = digit === undefined ? pin.value.slice(0, -1) : (pin.value + digit).slice(0, 8);
  setText(field.querySelector("[data-pin-shown]"), "●".repeat(pin.value.length));
});

document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400) return;
  event.detail.shouldSwap = false;
  const answer = document.getElementById("user-answer");
  if (answer) setText(answer, event.detail.xhr.responseText);
});
