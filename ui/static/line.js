// The Line screen: the figures of every state, and how they went over the last half hour.

import { onState } from "./frame.js";
import { showFigures } from "./figures.js";
import { showTrend } from "./trend.js";

onState((state) => {
  showFigures(state);
  showTrend(state.trend);
});
