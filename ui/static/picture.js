// Shows the newest picture and its boxes in one step, so that the two never drift apart; older pictures are let go.

import { drawBoxes } from "./overlay.js";
import { number, text } from "./words.js";

const canvas = document.getElementById("picture");
const stage = document.getElementById("stage");
const delay = document.getElementById("picture-delay");

let waiting = null;
let isDecoding = false;
let shown = null;

/** Show a picture; if one is still being decoded, the newest that arrives meanwhile is next. */
export async function showPicture(picture) {
  waiting = picture;
  if (isDecoding) return;
  isDecoding = true;
  while (waiting !== null) {
    const next = waiting;
    waiting = null;
    await decodeAndDraw(next);
  }
  isDecoding = false;
}

async function decodeAndDraw(picture) {
  const bytes = Uint8Array.from(atob(picture.jpeg), (letter) => letter.charCodeAt(0));
  try {
    const image = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    draw(picture, image);
    image.close();
  } catch (error) {
    console.warn(`picture ${picture.frame_id} cannot be decoded: ${error.message}`);
  }
}

function draw(picture, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  stage.style.aspectRatio = String(picture.aspect_ratio);
  stage.style.setProperty("--aspect", String(picture.aspect_ratio));
  canvas.getContext("2d", { alpha: false }).drawImage(image, 0, 0);
  drawBoxes(picture);
  delay.textContent = text("picture.delay", { ms: number(picture.age_ms) });
  stage.dataset.frame = picture.frame_id;
  shown = { ...picture, jpeg: "" };
}

new ResizeObserver(() => shown && drawBoxes(shown)).observe(stage);
