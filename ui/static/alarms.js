// The Alarms screen: fetches the list anew when it looks different, unless somebody is choosing something in it.

import { onState } from "./frame.js";

const MINUTE_MS = 60_000;
const list = document.getElementById("alarm-list");
let shownVersion = null;
let shownAt_ms = 0;

const isChoosing = () => list.querySelector("details[open]") !== null;

onState(async ({ alarms }) => {
  const now_ms = performance.now();
  const isOld = alarms.version !== shownVersion || now_ms - shownAt_ms > MINUTE_MS;
  if (!isOld || isChoosing()) return;
  shownVersion = alarms.version;
  shownAt_ms = now_ms;
  const response = await fetch("/alarms/list");
  if (!response.ok) return;
  const words = await response.text();
  // what was opened while the list was on its way stays; a later state brings the list again
  if (isChoosing()) {
    shownVersion = null;
    return;
  }
  list.innerHTML = words;
  globalThis.htmx?.process(list);
});
