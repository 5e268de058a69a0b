// The Audit screen: counting in by touch; every touch is one item, and every touch can be taken back.

import { setText } from "./drawing.js";
import { number } from "./words.js";

document.getElementById("audit").addEventListener("click", ({ target }) => {
  const by = Number(target.dataset?.count ?? 0);
  if (by === 0) return;
  const row = target.closest(".count-row");
  const field = row.querySelector("input");
  field.value = Math.max(0, Number(field.value) + by);
  setText(row.querySelector("output"), number(Number(field.value)));
});
