// What moves the line is asked for by holding a button for a second, so that no brush of a sleeve does it.

const HOLD_MS = 1000;
const AFTERMATH_MS = 60;

/** Call `act` once a button has been held for a second, by finger, mouse or key. */
export function onHeld(button, act) {
  let timer = 0;

  function press() {
    if (button.disabled || timer !== 0) return;
    button.classList.add("is-held");
    timer = setTimeout(() => { release(); swallowTap(); act(); }, HOLD_MS);
  }

  function release() {
    clearTimeout(timer);
    timer = 0;
    button.classList.remove("is-held");
  }

  holding(button, press, release);
}

// What was held may give its place to another button before the finger leaves: that one was not meant.
function swallowTap() {
  const swallow = (event) => { event.stopPropagation(); event.preventDefault(); };
  const finish = () => setTimeout(() => window.removeEventListener("click", swallow, true), AFTERMATH_MS);
  window.addEventListener("click", swallow, true);
  for (const name of ["pointerup", "pointercancel", "touchend", "keyup"]) window.addEventListener(name, finish, { once: true, capture: true });
}

/** Call `press` when a button goes down and `release` when it comes up, whatever takes the finger away. */
export function holding(button, press, release) {
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(name, release);
  button.addEventListener("keydown", (event) => {
    if ((event.key === " " || event.key === "Enter") && !event.repeat) press();
  });
  button.addEventListener("keyup", release);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  document.addEventListener("visibilitychange", release);
}
