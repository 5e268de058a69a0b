// Puts the line's figures on the Line screen; what is old is marked as old, in grey and in words.
//
// Elements are made once and changed afterwards: a page that stays open for weeks must not grow.

import { code, html, mark, setText } from "./drawing.js";
import { shapeOf } from "./stations.js";
import { className, duration, isWordedClass, number, percent, settings, speed, text } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Show all figures of a state. */
export function showFigures(state) {
  showHeadlines(state);
  showStations(state.statistics);
  showComposition(state);
  showProcesses(state.processes);
  showRuns(state.statistics);
}

function showHeadlines({ belt_speed_m_s: belt, statistics, decided_per_min }) {
  const figures = statistics?.value.figures;
  figure("belt-speed", speed(belt?.value), belt?.is_stale);
  figure("decided-per-min", number(decided_per_min), statistics?.is_stale);
  figure("missed-windows", percent(figures?.missed_window_ratio, 2), statistics?.is_stale);
  figure("latency", number(figures?.frame_to_command_p99_ms), statistics?.is_stale);
  part("latency", "p50", number(figures?.frame_to_command_p50_ms));
  part("missed-windows", "commands", figures ? text("commands", { n: number(figures.command_count) }) : "");
}

function figure(id, words, isStale) {
  setText($(id).querySelector("b"), words);
  markStale($(id), isStale);
}

function part(id, name, words) {
  setText($(id).querySelector(`[data-part="${name}"]`), words);
}

function showStations(statistics) {
  markStale($("stations").parentElement, statistics?.is_stale);
  for (const station of settings.stations) fillCard(station, statistics?.value);
}

function card(station) {
  const known = $("stations").querySelector(`[data-station="${CSS.escape(station.id)}"]`);
  if (known) return known;
  const made = html("article", { class: "station", "data-station": station.id },
    html("h3", {}, mark(shapeOf(station.id)), html("bdi", {}, station.id), html("span", { class: "fine counts-words" })),
    gauge("purity"), gauge("recovery"));
  $("stations").append(made);
  return made;
}

// A share on a scale from 0 to 100 %: a line for the value, a band for its interval, a thin line for the target.
function gauge(name) {
  return html("div", { class: "gauge", "data-figure": name },
    html("span", { class: "gauge-name" }, text(name)), html("b"),
    html("span", { class: "scale", "aria-hidden": "true" },
      html("i", { class: "interval" }), html("i", { class: "value" }), html("i", { class: "target" })),
    html("span", { class: "fine interval-words" }), html("span", { class: "low-words" }));
}

function fillCard(station, statistics) {
  const figures = statistics?.figures.stations[station.id];
  const has_truth = statistics?.has_truth ?? false;
  const counts = { ejected: number(figures?.ejected_count), presented: number(figures?.presented_count) };
  setText(card(station).querySelector(".counts-words"), has_truth ? text("ejected_of", counts) : "");
  fillGauge(station, "purity", figures?.purity, has_truth, station.purityTarget);
  fillGauge(station, "recovery", figures?.recovery, has_truth, null);
}

function fillGauge(station, name, estimate, has_truth, target) {
  const field = card(station).querySelector(`[data-figure="${name}"]`);
  const value = has_truth ? (estimate?.value ?? null) : null;
  const isLow = value !== null && target !== null && estimate.high < target;
  field.classList.toggle("is-low", isLow);
  setText(field.querySelector("b"), percent(value));
  place(field.querySelector(".interval"), value === null ? null : estimate.low, value === null ? 0 : estimate.high - estimate.low);
  place(field.querySelector(".value"), value);
  place(field.querySelector(".target"), target);
  setText(field.querySelector(".interval-words"), gaugeWords(value, estimate, has_truth));
  setText(field.querySelector(".low-words"), isLow ? `▼ ${text("below_target")} ${percent(target, 0)}` : "");
}

function gaugeWords(value, estimate, has_truth) {
  if (!has_truth) return text("no_truth");
  if (value === null) return text("nothing_yet");
  return text("interval", { low: percent(estimate.low), high: percent(estimate.high) });
}

function place(element, start, length = null) {
  element.hidden = start === null;
  if (start === null) return;
  element.style.insetInlineStart = `${100 * start}%`;
  if (length !== null) element.style.inlineSize = `${100 * length}%`;
}

function showComposition({ statistics, recent_counts: recent }) {
  const counts = statistics?.value.class_counts ?? {};
  const names = [...new Set([...settings.classes, ...Object.keys(counts)])];
  const totals = [recent, counts].map((each) => Object.values(each).reduce((sum, count) => sum + count, 0));
  setText($("counts-total"), text("counts.total", { n: number(totals[1]) }));
  markStale($("counts").parentElement, statistics?.is_stale);
  const most = Math.max(1e-9, ...names.map((name) => share(counts[name], totals[1])), ...names.map((name) => share(recent[name], totals[0])));
  for (const name of names) {
    fillCount(name, share(recent[name], totals[0]), share(counts[name], totals[1]), counts[name] ?? 0, most);
  }
}

function share(count, total) {
  return total > 0 ? (count ?? 0) / total : 0;
}

function fillCount(name, now, run, count, most) {
  let row = $("counts").querySelector(`[data-class="${CSS.escape(name)}"]`);
  if (!row) {
    row = html("li", { "data-class": name }, classLabel(name),
      html("span", { class: "bar-field", "aria-hidden": "true" }, html("i", { class: "bar" })), html("span", { class: "now" }),
      html("span", { class: "bar-field", "aria-hidden": "true" }, html("i", { class: "bar" })), html("span", { class: "share" }),
      html("b"));
    $("counts").append(row);
  }
  const bars = row.querySelectorAll(".bar");
  bars[0].style.inlineSize = `${(100 * now) / most}%`;
  bars[1].style.inlineSize = `${(100 * run) / most}%`;
  setText(row.querySelector(".now"), percent(now, 0));
  setText(row.querySelector(".share"), percent(run, 0));
  setText(row.querySelector("b"), number(count));
}

/** A class as an element: in words, or as the site's own name. */
export function classLabel(name) {
  return isWordedClass(name) ? html("span", {}, className(name)) : code(name);
}

function showProcesses(processes) {
  const field = $("processes");
  processes.forEach((process, index) => {
    const row = field.children[index] ?? field.appendChild(html("li", {}, mark("mark-unheard"),
      html("span", { class: "code" }, html("bdi")), html("span", { class: "status" }), html("span", { class: "fine" })));
    row.dataset.process = process.name;
    row.dataset.status = process.status;
    row.querySelector("use").setAttribute("href", `#mark-${process.status}`);
    setText(row.querySelector("bdi"), process.name);
    const since = process.status_s === null ? "" : ` · ${duration(process.status_s)}`;
    setText(row.querySelector(".status"), text(`status.${process.status}`) + since);
    setText(row.querySelector(".fine"), process.restart_count > 0 ? text("restarts", { n: number(process.restart_count) }) : "");
  });
  while (field.children.length > processes.length) field.lastChild.remove();
}

function showRuns(statistics) {
  const value = statistics?.value;
  const shown = {
    model: value?.model_id,
    detector: value?.detector,
    precision: value?.precision,
    views: value ? number(value.views_per_item, 1) : null,
    truth: value ? text(value.has_truth ? "truth.known" : "truth.unknown") : null,
  };
  for (const [key, words] of Object.entries(shown)) {
    const field = document.querySelector(`[data-run="${key}"]`);
    if (field.textContent !== (words || "—")) field.replaceChildren(html("bdi", {}, words || "—"));
  }
  markStale($("runs"), statistics?.is_stale);
}

function markStale(element, isStale) {
  element.classList.toggle("is-stale", Boolean(isStale));
  if (isStale) element.dataset.stale = text("stale");
}
