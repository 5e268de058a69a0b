// Items a minute over the last half hour; time runs from left to right in every language.

import { text, number } from "./words.js";

const field = document.getElementById("trend");
let chart = null;
let shownMinute = null;

/** Draw the trend anew when a minute is over; `trend` is the count of items in each of the last minutes, oldest first. */
export function showTrend(trend) {
  if (trend.minute === shownMinute || !globalThis.uPlot) return;
  shownMinute = trend.minute;
  const minutes = trend.counts.map((_, index) => index - trend.counts.length + 1);
  chart ??= newChart();
  chart.setData([minutes, trend.counts]);
}

function newChart() {
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "rgb(128 128 128 / .25)" }, font: "13px sans-serif", ticks: { show: false } };
  const made = new globalThis.uPlot({
    width: field.clientWidth,
    height: field.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, _low, high) => [0, Math.max(10, high * 1.1)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => text("trend.minutes", { n: number(tick) })) },
      { ...axis, values: (_, ticks) => ticks.map((tick) => number(tick)) },
    ],
    series: [{}, { stroke: ink, width: 2, points: { show: false } }],
  }, [[], []], field);
  new ResizeObserver(() => made.setSize({ width: field.clientWidth, height: field.clientHeight })).observe(field);
  return made;
}
