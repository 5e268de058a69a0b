// Draws the items' boxes over the picture, in display pixels, so that letters keep their shape whatever the belt's scale.

import { svg } from "./drawing.js";
import { shapeOf } from "./stations.js";
import { className, percent } from "./words.js";

const LABEL_HEIGHT_PX = 20;
const LABEL_PADDING_PX = 5;
const SHAPE_PX = 11;
const TARGET_RADIUS_PX = 7;
const NARROW_PX = 520;
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

const overlay = document.getElementById("overlay");
const ruler = document.createElement("canvas").getContext("2d");

/** Replace all boxes by those of a picture. */
export function drawBoxes(picture) {
  const { clientWidth, clientHeight } = overlay.parentElement;
  overlay.setAttribute("viewBox", `0 0 ${clientWidth} ${clientHeight}`);
  const scale = { across: clientWidth / picture.width_px, along: clientHeight / picture.height_px };
  const space = { width: clientWidth, height: clientHeight };
  // What will be ejected is drawn last, on top of what passes.
  const boxes = [...picture.boxes].sort((one, other) => Number(isEjected(one)) - Number(isEjected(other)));
  overlay.replaceChildren(...boxes.map((box) => item(box, scale, space)));
}

// A stray detection gets its outline, and no name to clutter the picture.
const NO_ITEM_REASONS = new Set(["nothing", "too_few_views"]);

function isEjected(box) {
  return box.station_id !== null && box.reason === "eject";
}

function fate(box) {
  if (!isEjected(box)) return "passes";
  return box.is_decided ? "ejected" : "planned";
}

function item(box, scale, space) {
  const area = {
    x: box.left_px * scale.across,
    y: box.top_px * scale.along,
    width: (box.right_px - box.left_px) * scale.across,
    height: (box.bottom_px - box.top_px) * scale.along,
  };
  const group = svg("g", { class: `item ${fate(box)}`, "data-track": box.track_id, "data-station": box.station_id });
  group.append(svg("rect", { class: "casing", ...area }), svg("rect", { class: "outline", ...area }));
  if (isEjected(box)) group.append(target(area));
  if (box.class_name !== null && !NO_ITEM_REASONS.has(box.reason)) group.append(label(box, area, space));
  return group;
}

// Where the jet is aimed: the item's centre.
function target({ x, y, width, height }) {
  const r = TARGET_RADIUS_PX;
  const path = `M${x + width / 2 - r} ${y + height / 2}h${2 * r}m${-r} ${-r}v${2 * r}`;
  return svg("g", {}, svg("path", { class: "casing", d: path }), svg("path", { class: "outline", d: path }));
}

function label(box, area, space) {
  const words = labelWords(box, space);
  const route = isEjected(box) ? `→ ${box.station_id}` : "";
  const words_px = words ? textWidth(words, isEjected(box)) + 2 * LABEL_PADDING_PX : 0;
  const route_px = route ? textWidth(route, true) + SHAPE_PX + 3 * LABEL_PADDING_PX : 0;
  const x = clamp(area.x, space.width - words_px - route_px);
  const above = area.y - LABEL_HEIGHT_PX - 2;
  const y = clamp(above >= 0 ? above : area.y + area.height + 2, space.height - LABEL_HEIGHT_PX);
  const group = svg("g", { class: "label", transform: `translate(${x} ${y})` });
  if (route) group.append(...routePlate(box.station_id, route, route_px));
  if (words) group.append(...plate("words", words, route_px, words_px));
  return group;
}

// A small picture has room for what will happen, not for names. Isolated, so that no language turns the order around.
function labelWords(box, space) {
  if (space.width < NARROW_PX) return "";
  return `${FIRST_STRONG_ISOLATE}${className(box.class_name)}${POP_ISOLATE} ${percent(box.probability, 0)}`;
}

function routePlate(stationId, route, width) {
  const shape = { class: "shape", x: LABEL_PADDING_PX, y: (LABEL_HEIGHT_PX - SHAPE_PX) / 2, width: SHAPE_PX, height: SHAPE_PX };
  const [back, front] = plate("route", route, 0, width);
  front.setAttribute("x", SHAPE_PX + 2 * LABEL_PADDING_PX);
  return [back, svg("use", { href: `#${shapeOf(stationId)}`, ...shape }), front];
}

function plate(kind, words, x, width) {
  const back = svg("rect", { class: `plate ${kind}`, x, y: 0, width, height: LABEL_HEIGHT_PX });
  const front = svg("text", { class: kind, x: x + LABEL_PADDING_PX, y: LABEL_HEIGHT_PX - 6 }, words);
  return [back, front];
}

function textWidth(words, isStrong) {
  ruler.font = `${isStrong ? 600 : 400} 13px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(ruler.measureText(words).width);
}

function clamp(value, highest) {
  return Math.max(0, Math.min(value, highest));
}
