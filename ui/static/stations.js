// What a station looks like everywhere on the page: its own shape, and its name.

import { html, mark } from "./drawing.js";
import { settings } from "./words.js";

const SHAPE_COUNT = 6;

/** The id of a station's shape. */
export function shapeOf(stationId) {
  const index = settings.stations.findIndex((station) => station.id === stationId);
  return `station-${Math.max(0, index) % SHAPE_COUNT}`;
}

/** A station's shape and name as an element that no language turns around. */
export function stationTag(stationId) {
  return html("bdi", { class: "station-tag", dir: "ltr" }, mark(shapeOf(stationId)), ` → ${stationId}`);
}
