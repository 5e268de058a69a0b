// The operating curves of a model: purity and recovery of each class over the probability from which an item counts.

import { number, percent, text } from "./words.js";

// uPlot puts its legend below the height that it is given
const LEGEND_PX = 44;

function draw() {
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "rgb(128 128 128 / .25)" }, ticks: { show: false } };
  for (const field of document.querySelectorAll("[data-curve]")) {
    const points = JSON.parse(field.dataset.curve);
    const columns = [0, 1, 2].map((index) => points.map((point) => point[index]));
    new globalThis.uPlot({
      width: field.clientWidth, height: field.clientHeight - LEGEND_PX, cursor: { show: false },
      scales: { x: { time: false }, y: { range: [0, 1] } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => number(tick, 1)) },
        { ...axis, values: (_, ticks) => ticks.map((tick) => percent(tick, 0)) },
      ],
      legend: { live: false },
      series: [{}, { label: text("purity"), stroke: ink, width: 2 }, { label: text("recovery"), stroke: ink, width: 2, dash: [6, 4] }],
    }, columns, field);
  }
}

if (globalThis.uPlot) draw();
