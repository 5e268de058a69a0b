// Words and numbers in the page's language; the catalogues themselves are the server's (ui/translations).

const texts = JSON.parse(document.body.dataset.texts);
const { locale, units } = document.documentElement.dataset;
const formats = new Map();

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

export const settings = JSON.parse(document.body.dataset.settings);

/** A text with {name} replaced by values. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Whether there is a text of that key. */
export function knows(key) {
  return key in texts;
}

/** Whether a class has a name in the page's language. */
export function isWordedClass(name) {
  return `class.${name}` in texts;
}

/** A class in words, or its own name where only the site knows it. */
export function className(name) {
  return texts[`class.${name}`] ?? name;
}

// Formats are dear, and few: each is made once.
function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(locale, options));
  return formats.get(key);
}

/** A belt speed in this screen's unit. */
export function speed(metres_per_s) {
  if (metres_per_s === null || metres_per_s === undefined) return "—";
  return units === "m_min" ? number(60 * metres_per_s, 0) : number(metres_per_s, 2);
}

/** A number with a fixed count of decimals; a dash for none. */
export function number(value, decimals = 0) {
  if (value === null || value === undefined) return "—";
  return format({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

/** A share as per cent; a dash for none. */
export function percent(ratio, decimals = 1) {
  if (ratio === null || ratio === undefined) return "—";
  const options = { style: "percent", minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return format(options).format(ratio);
}

/** A duration in its largest fitting unit. */
export function duration(seconds) {
  const [unit, length_s] =
    seconds < MINUTE_S ? ["second", 1] : seconds < HOUR_S ? ["minute", MINUTE_S] : seconds < DAY_S ? ["hour", HOUR_S] : ["day", DAY_S];
  const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 };
  return format(options).format(Math.max(0, Math.floor(seconds / length_s)));
}
