// The Live screen: the belt with what will be ejected and where; a touch on an item asks why.

import { html, setText } from "./drawing.js";
import { classLabel } from "./figures.js";
import { onFreshness, notePicture } from "./freshness.js";
import { onState } from "./frame.js";
import "./keep.js";
import { shownBoxAt, showPicture } from "./picture.js";
import { stationTag } from "./stations.js";
import { followVideo } from "./video.js";
import { explain } from "./why.js";
import { className, percent, settings, text } from "./words.js";

const stage = document.getElementById("stage");
const notice = document.getElementById("notice");
const decisions = document.getElementById("decisions");

function showLegend() {
  const rows = settings.stations.map((station) =>
    html("li", {}, stationTag(station.id), html("span", { class: "fine" },
      `${text("takes")} ${station.targets.map(className).join(", ")}`)));
  document.getElementById("legend-stations").replaceChildren(...rows);
}

// A row is remade only when another decision stands in it.
function showDecisions(newest) {
  newest.forEach((decision, index) => {
    const known = decisions.children[index];
    if (known?.dataset.decision === String(decision.decision_id)) return;
    const row = decisionRow(decision);
    if (known) known.replaceWith(row);
    else decisions.append(row);
  });
  while (decisions.children.length > newest.length) decisions.lastChild.remove();
}

function decisionRow(decision) {
  const isEjected = decision.reason === "eject" && decision.station_id !== null;
  const fate = isEjected ? stationTag(decision.station_id) : text(`reason.${decision.reason}`);
  const button = html("button", { type: "button", class: `act row ${isEjected ? "ejected" : "passes"}` },
    classLabel(decision.class_name), html("span", { class: "fine" }, percent(decision.probability, 0)),
    html("span", { class: "fate" }, fate));
  button.addEventListener("click", () => explain({ decision: decision.decision_id }));
  return html("li", { "data-decision": decision.decision_id }, button);
}

stage.addEventListener("click", (event) => {
  const area = stage.getBoundingClientRect();
  const box = shownBoxAt((event.clientX - area.x) / area.width, (event.clientY - area.y) / area.height);
  if (box !== null) explain({ track: box.track_id });
});

onFreshness((condition, age) => {
  document.body.dataset.picture = condition;
  notice.dataset.condition = condition;
  notice.hidden = condition === "live";
  if (condition === "live") return;
  setText(document.getElementById("notice-text"), text(`picture.${condition}`));
  setText(document.getElementById("notice-age"), condition === "missing" || condition === "undecided" ? "" : age);
});

showLegend();
onState((state) => showDecisions(state.decisions));
followVideo((picture, jpeg) => {
  notePicture();
  showPicture(picture, jpeg);
});
