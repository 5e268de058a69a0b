// The page: follows the line's two streams and hands each event to those who show it.

import { stationTag } from "./stations.js";
import { html } from "./drawing.js";
import { showFigures } from "./figures.js";
import { notePicture, noteState } from "./freshness.js";
import "./keep.js";
import { showPicture } from "./picture.js";
import { offer } from "./requests.js";
import { follow } from "./streams.js";
import { className, settings, text } from "./words.js";

function showLegend() {
  const rows = settings.stations.map((station) =>
    html("li", {}, stationTag(station.id), html("span", { class: "fine" },
      `${text("takes")} ${station.targets.map(className).join(", ")}`)));
  document.getElementById("legend-stations").replaceChildren(...rows);
}

showLegend();
follow("/events", (state) => {
  noteState(state);
  offer(state.mode);
  showFigures(state);
});
follow("/live", (picture) => {
  notePicture();
  showPicture(picture);
});
