// The Alarms screen: fetches the list anew when it looks different, unless somebody is choosing something in it.

import { onState } from "./frame.js";

const MINUTE_MS = 60_000;
const list = document.getElementById("alarm-list");
let shownVersion = null;
let shownAt_ms = 0;
let isFetching = false;

const isChoosing = () => list.querySelector("details[open]") !== null;

// One list at a time: of two on their way the older one might come last, and stay.
onState(async ({ alarms }) => {
  const now_ms = performance.now();
  const isOld = alarms.version !== shownVersion || now_ms - shownAt_ms > MINUTE_MS;
  if (!isOld || isFetching || isChoosing()) return;
  isFetching = true;
  const words = await newestList();
  isFetching = false;
  // what was opened while the list was on its way stays; a later state brings the list again
  if (words === null || isChoosing()) return;
  shownVersion = alarms.version;
  shownAt_ms = now_ms;
  list.innerHTML = words;
  globalThis.htmx?.process(list);
});

async function newestList() {
  try {
    const response = await fetch("/alarms/list");
    return response.ok ? await response.text() : null;
  } catch {
    return null; // the server is away for a moment
  }
}
