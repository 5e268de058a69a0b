// Puts the line's figures on the page; what is old is marked as old, in grey and in words.

import { code, html, mark } from "./drawing.js";
import { shapeOf, stationTag } from "./stations.js";
import { className, duration, isWordedClass, number, percent, settings, text } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Show all figures of a state. */
export function showFigures(state) {
  showMode(state.mode);
  showFaults([...state.faults, ...silences(state)]);
  showHeadlines(state);
  showStations(state.statistics);
  showCounts(state.statistics);
  showDecisions(state.decisions, state.statistics?.is_stale);
  showProcesses(state.processes);
  showRuns(state.statistics);
}

function showMode(mode) {
  const name = mode === null || mode.is_stale ? "unknown" : mode.value.mode;
  $("mode").dataset.mode = name;
  $("mode").querySelector("use").setAttribute("href", `#mark-${name}`);
  setText($("mode-name"), text(`mode.${name}`));
  if (mode === null) return;
  setText($("mode-reason"), mode.is_stale ? text("stale") : mode.value.reason);
  setText($("mode-age"), text("picture.age", { age: duration(mode.is_stale ? mode.age_s : mode.value.mode_s) }));
}

function showFaults(faults) {
  $("faults").hidden = faults.length === 0;
  $("faults-none").hidden = faults.length > 0;
  // An alert is read aloud on every change, so it changes only when the faults do; their durations are not read.
  const key = JSON.stringify(faults.map((fault) => [fault.process, fault.code, fault.detail]));
  if ($("faults").dataset.key !== key) $("faults").replaceChildren(...faults.map(faultLine));
  $("faults").dataset.key = key;
  const ages = $("faults").querySelectorAll(".fine");
  faults.forEach((fault, index) => setText(ages[index], duration(fault.active_s)));
}

// Whoever has fallen silent cannot say that something is wrong: the page does.
function silences({ processes, faults }) {
  return processes
    .filter((process) => process.status === "silent" && !faults.some((fault) => fault.process === process.name))
    .map((process) => ({ process: process.name, code: text("status.silent"), detail: "", active_s: process.status_s }));
}

function faultLine(fault) {
  const cause = code(`${fault.process} · ${fault.code}`, { class: "code" });
  const age = html("span", { class: "fine", "aria-hidden": "true" });
  return html("p", {}, mark("mark-fault"), cause, html("bdi", {}, fault.detail), age);
}

function showHeadlines({ belt_speed_m_s: speed, statistics, decided_per_min }) {
  const figures = statistics?.value.figures;
  figure("belt-speed", number(speed?.value, 2), speed?.is_stale);
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
  $("stations").replaceChildren(...settings.stations.map((station) => stationCard(station, statistics?.value)));
}

function stationCard(station, statistics) {
  const figures = statistics?.figures.stations[station.id];
  const counts = { ejected: number(figures?.ejected_count), presented: number(figures?.presented_count) };
  const has_truth = statistics?.has_truth ?? false;
  return html("article", { class: "station", "data-station": station.id },
    html("h3", {}, mark(shapeOf(station.id)), html("bdi", {}, station.id),
      html("span", { class: "fine" }, has_truth ? text("ejected_of", counts) : "")),
    gauge("purity", figures?.purity, has_truth, station.purityTarget),
    gauge("recovery", figures?.recovery, has_truth, null));
}

// A share on a scale from 0 to 100 %: a dot for the value, a band for its interval, a line for the target.
function gauge(name, estimate, has_truth, target) {
  const value = has_truth ? (estimate?.value ?? null) : null;
  const isLow = value !== null && target !== null && estimate.high < target;
  return html("div", { class: `gauge${isLow ? " is-low" : ""}`, "data-figure": name },
    html("span", { class: "gauge-name" }, text(name)), html("b", {}, percent(value)), scale(value, estimate, target),
    html("span", { class: "fine interval-words" }, gaugeWords(value, estimate, has_truth)),
    isLow ? html("span", { class: "low-words" }, `▼ ${text("below_target")} ${percent(target, 0)}`) : "");
}

function gaugeWords(value, estimate, has_truth) {
  if (!has_truth) return text("no_truth");
  if (value === null) return text("nothing_yet");
  return text("interval", { low: percent(estimate.low), high: percent(estimate.high) });
}

function scale(value, estimate, target) {
  const bar = html("span", { class: "scale", "aria-hidden": "true" });
  if (value !== null) {
    bar.append(placed("interval", estimate.low, estimate.high - estimate.low), placed("value", value));
  }
  if (target !== null) bar.append(placed("target", target));
  return bar;
}

function placed(name, start, length = null) {
  const element = html("i", { class: name });
  element.style.insetInlineStart = `${100 * start}%`;
  if (length !== null) element.style.inlineSize = `${100 * length}%`;
  return element;
}

function showCounts(statistics) {
  const counts = statistics?.value.class_counts ?? {};
  const names = [...new Set([...settings.classes, ...Object.keys(counts)])];
  const most = Math.max(1, ...Object.values(counts));
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  setText($("counts-total"), text("counts.total", { n: number(total) }));
  markStale($("counts").parentElement, statistics?.is_stale);
  $("counts").replaceChildren(...names.map((name) => countRow(name, counts[name] ?? 0, most)));
}

function countRow(name, count, most) {
  const bar = html("i", { class: "bar" });
  bar.style.inlineSize = `${(100 * count) / most}%`;
  return html("li", { "data-class": name }, classLabel(name),
    html("span", { class: "bar-field", "aria-hidden": "true" }, bar), html("b", {}, number(count)));
}

function classLabel(name) {
  return isWordedClass(name) ? html("span", {}, className(name)) : code(name);
}

function showDecisions(decisions, isStale) {
  markStale($("decisions").parentElement, isStale);
  $("decisions").replaceChildren(...decisions.map((decision) => {
    const isEjected = decision.reason === "eject" && decision.station_id !== null;
    const fate = isEjected ? stationTag(decision.station_id) : text(`reason.${decision.reason}`);
    return html("li", { class: isEjected ? "ejected" : "passes" }, classLabel(decision.class_name),
      html("span", { class: "fine" }, percent(decision.probability, 0)), html("span", { class: "fate" }, fate));
  }));
}

function showProcesses(processes) {
  $("processes").replaceChildren(...processes.map((process) => {
    const status = text(`status.${process.status}`);
    const since = process.status_s === null ? "" : ` · ${duration(process.status_s)}`;
    const restarts = process.restart_count > 0 ? text("restarts", { n: number(process.restart_count) }) : "";
    return html("li", { "data-process": process.name, "data-status": process.status }, mark(`mark-${process.status}`),
      code(process.name, { class: "code" }), html("span", {}, status + since),
      html("span", { class: "fine" }, restarts && `${restarts} `, html("bdi", {}, process.detail)));
  }));
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
    document.querySelector(`[data-run="${key}"]`).replaceChildren(html("bdi", {}, words || "—"));
  }
  markStale($("runs"), statistics?.is_stale);
}

function markStale(element, isStale) {
  element.classList.toggle("is-stale", Boolean(isStale));
  if (isStale) element.dataset.stale = text("stale");
}

function setText(element, words) {
  if (element.textContent !== words) element.textContent = words;
}
