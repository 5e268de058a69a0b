// Shows the newest picture and its boxes in one step, so that the two never drift apart; older pictures are let go.

import { drawBoxes } from "./overlay.js";
import { number, text } from "./words.js";

const canvas = document.getElementById("picture");
const stage = document.getElementById("stage");
const delay = document.getElementById("picture-delay");

// a gloved finger hits beside what it means
const SLACK_PX = 16;

let waiting = null;
let isDecoding = false;
let shown = null;

/** Show a picture and its JPEG; if one is still being decoded, the newest that arrives meanwhile is next. */
export async function showPicture(picture, jpeg) {
  waiting = { picture, jpeg };
  if (isDecoding) return;
  isDecoding = true;
  while (waiting !== null) {
    const next = waiting;
    waiting = null;
    await decodeAndDraw(next.picture, next.jpeg);
  }
  isDecoding = false;
}

async function decodeAndDraw(picture, jpeg) {
  try {
    const image = await createImageBitmap(jpeg);
    draw(picture, image);
    image.close();
  } catch (error) {
    console.warn(`picture ${picture.frame_id} cannot be decoded: ${error.message}`);
  }
}

/** The smallest box that lies under a point of the picture, given as shares of its width and height; null for none. */
export function shownBoxAt(across, along) {
  if (shown === null) return null;
  const [x, y] = [across * shown.width_px, along * shown.height_px];
  const under = shown.boxes.filter((box) => box.left_px - SLACK_PX <= x && x <= box.right_px + SLACK_PX
    && box.top_px - SLACK_PX <= y && y <= box.bottom_px + SLACK_PX);
  const area = (box) => (box.right_px - box.left_px) * (box.bottom_px - box.top_px);
  return under.sort((one, other) => area(one) - area(other))[0] ?? null;
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
  shown = picture;
  stage.dataset.delay = picture.age_ms;
}

new ResizeObserver(() => shown && drawBoxes(shown)).observe(stage);
