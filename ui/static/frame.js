// What every screen has around it: the state band, its buttons, the alarms, the heartbeat, and what is too old.

import { follow } from "./streams.js";
import { noteState } from "./freshness.js";
import { offer } from "./requests.js";
import { showAlarms, showHeartbeat, showMode } from "./band.js";

const listeners = [];
let newest = null;

/** Have every state told, the newest one at once. */
export function onState(take) {
  listeners.push(take);
  if (newest !== null) take(newest);
}

follow("/events", (state) => {
  newest = state;
  noteState(state);
  offer(state.mode);
  showMode(state.mode);
  showAlarms(state.alarms);
  showHeartbeat(state);
  for (const take of listeners) take(state);
});
