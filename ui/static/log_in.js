// The PIN pad: digits are typed in the page, shown as dots, and sent once.

import { setText } from "./drawing.js";

const pad = document.getElementById("pad");
const shown = document.getElementById("pin-shown");
const leave = document.getElementById("log-out");
let pin = "";

function show() {
  setText(shown, "●".repeat(pin.length));
}

function type(digit) {
  if (pin.length < 8) pin += digit;
  show();
}

function send(address, body) {
  return fetch(address, { method: "POST", headers: { "X-Csrf-Token": document.body.dataset.csrf }, body });
}

async function enter() {
  const response = await send("/log-in/pin", new URLSearchParams({ name: pad.dataset.name, pin }));
  pin = "";
  show();
  if (response.ok) location.assign("/");
  else setText(document.getElementById("pin-answer"), await response.text());
}

pad?.addEventListener("click", ({ target }) => {
  const { digit, clear, enter: isEnter } = target.dataset;
  if (digit !== undefined) type(digit);
  else if (clear !== undefined) { pin = pin.slice(0, -1); show(); }
  else if (isEnter !== undefined) enter();
});

leave?.addEventListener("click", async () => {
  await send("/log-out", null);
  location.assign("/log-in");
});
