// The button that has the picture on the screen kept for labelling; there where the line keeps pictures at all.

import { ANSWER_SHOWN_MS, post } from "./requests.js";
import { settings } from "./words.js";

const button = document.getElementById("keep");
const stage = document.getElementById("stage");
const name = button.textContent;
let answerTimer = 0;

// The answer stands in the button itself: beside it there is no room on a small screen.
async function keep() {
  if (!stage.dataset.frame) return;
  button.style.minInlineSize = `${button.offsetWidth}px`;
  button.textContent = await post(`/pictures/${stage.dataset.frame}/keep`);
  clearTimeout(answerTimer);
  answerTimer = setTimeout(() => { button.textContent = name; }, ANSWER_SHOWN_MS);
}

button.hidden = !(settings.keepsPictures && settings.mayAct);
button.addEventListener("click", keep);
