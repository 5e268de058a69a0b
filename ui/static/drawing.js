// Makes elements; all of the page's modules build with these few.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes and children (elements or strings). */
export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** One of the page's marks (templates/marks.svg) by its id. */
export function mark(id) {
  return svg("svg", { class: "mark", "aria-hidden": "true" }, svg("use", { href: `#${id}` }));
}

/** A name that is not of the page's language: its letters keep their own direction, its place is the page's. */
export function code(name, attributes = {}) {
  return html("span", attributes, html("bdi", {}, name));
}

/** Change an element's words, if they change: a status region is read aloud on every change. */
export function setText(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
