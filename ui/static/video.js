// The live video: pictures with their boxes, from the video process; comes back by itself, and rests while nobody looks.
//
// Each part of the multipart stream is a JPEG, and what is on it stands in the part's own header, so that the two cannot
// drift apart. A browser alone can show the stream, too; what it cannot do is tell which picture it shows.

import { settings } from "./words.js";
import { setText } from "./drawing.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4000;
const HEADER_END = [13, 10, 13, 10];

/** Follow the video: `take` gets what is on each picture, and its JPEG as a blob. */
export function followVideo(take) {
  let stop = null;
  let retry_ms = FIRST_RETRY_MS;
  let retryTimer = 0;

  async function open() {
    clearTimeout(retryTimer);
    const controller = new AbortController();
    stop = controller;
    try {
      const response = await fetch(videoAddress(), { signal: controller.signal, cache: "no-store" });
      if (!response.ok) throw new Error(await response.text());
      await readParts(response.body.getReader(), (picture, jpeg) => { retry_ms = FIRST_RETRY_MS; take(picture, jpeg); });
    } catch (error) {
      if (!controller.signal.aborted) setText(document.getElementById("notice-age"), String(error.message ?? ""));
    }
    if (controller.signal.aborted) return;
    retryTimer = setTimeout(open, retry_ms);
    retry_ms = Math.min(2 * retry_ms, LONGEST_RETRY_MS);
  }

  function rest() {
    clearTimeout(retryTimer);
    stop?.abort();
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : open()));
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  if (!document.hidden) open();
}

function videoAddress() {
  return `${location.protocol}//${location.hostname}:${settings.videoPort}/video`;
}

async function readParts(reader, take) {
  let buffer = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    buffer = joined(buffer, value);
    for (let part = nextPart(buffer); part !== null; part = nextPart(buffer)) {
      buffer = buffer.subarray(part.end);
      take(part.picture, part.jpeg);
    }
  }
}

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function nextPart(buffer) {
  const start = indexOf(buffer, HEADER_END);
  if (start < 0) return null;
  const headers = new TextDecoder("latin1").decode(buffer.subarray(0, start));
  const length = Number(/content-length: *(\d+)/i.exec(headers)?.[1]);
  const body = start + HEADER_END.length;
  if (buffer.length < body + length) return null;
  const picture = JSON.parse(/x-farz-picture: *(.*)/i.exec(headers)?.[1] ?? "null");
  return { picture, jpeg: new Blob([buffer.slice(body, body + length)], { type: "image/jpeg" }), end: body + length };
}

function indexOf(buffer, pattern) {
  for (let at = buffer.indexOf(pattern[0]); at >= 0; at = buffer.indexOf(pattern[0], at + 1)) {
    if (pattern.every((byte, index) => buffer[at + index] === byte)) return at;
  }
  return -1;
}
