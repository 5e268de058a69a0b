// A server-sent event stream that comes back by itself, whatever ended it, and that rests while nobody looks.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4000;

/** Follow a stream: `take` gets each event's data, parsed. */
export function follow(url, take) {
  let source = null;
  let retryTimer = 0;
  let retry_ms = FIRST_RETRY_MS;

  function open() {
    clearTimeout(retryTimer);
    source?.close();
    source = new EventSource(url);
    source.onmessage = (event) => {
      retry_ms = FIRST_RETRY_MS;
      take(JSON.parse(event.data));
    };
    // A browser tries again by itself after a broken connection, but never after a refusal such as 503.
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      retryTimer = setTimeout(open, retry_ms);
      retry_ms = Math.min(2 * retry_ms, LONGEST_RETRY_MS);
    };
  }

  function rest() {
    clearTimeout(retryTimer);
    source?.close();
  }

  // Browsers allow six connections to one server: pages in the background must not hold theirs.
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : open()));
  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  if (!document.hidden) open();
}
