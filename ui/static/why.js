// Asks the line why an item was ejected or left, until it is decided, and crops the item's views from the pictures.

const RETRY_MS = 400;
const RETRIES = 10;
const field = document.getElementById("why");
let asked = 0;

/** Show why: of an item on the belt by its track, or of a decision by its number. */
export async function explain(which) {
  asked += 1;
  const mine = asked;
  const query = new URLSearchParams(which);
  for (let tries = 0; tries < RETRIES && mine === asked; tries += 1) {
    const response = await fetch(`/explanations?${query}`);
    const words = await response.text();
    if (mine !== asked) return;
    if (response.ok || response.status === 202) show(words);
    if (response.status !== 202) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function show(words) {
  field.innerHTML = words; // the server's own page, with every value escaped there
  globalThis.htmx?.process(field);
  for (const canvas of field.querySelectorAll("canvas[data-frame]")) crop(canvas);
}

async function crop(canvas) {
  const [left, top, right, bottom] = canvas.dataset.box.split(",").map(Number);
  try {
    const response = await fetch(`/pictures/${canvas.dataset.frame}.jpg`);
    if (!response.ok) throw new Error(String(response.status));
    const image = await createImageBitmap(await response.blob(), left, top, right - left, bottom - top);
    const aspect = Number(canvas.dataset.aspect);
    canvas.height = 96;
    canvas.width = Math.max(24, Math.round((96 * aspect * (right - left)) / (bottom - top)));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
  } catch {
    canvas.closest("li").classList.add("no-picture");
  }
}
