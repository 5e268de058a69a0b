// Words and numbers in the page's language; the table of texts itself is the server's (ui/texts.py).

const language = document.documentElement.lang;
const texts = JSON.parse(document.body.dataset.texts);
// Western digits in Arabic too, as on Maghreb displays and on the machine's own plates.
const locale = language === "ar" ? "ar-u-nu-latn" : language;

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

export const settings = JSON.parse(document.body.dataset.settings);

/** A text with {name} replaced by values. */
export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Whether a class has a name in the page's language. */
export function isWordedClass(name) {
  return `class.${name}` in texts;
}

/** A class in words, or its own name where only the site knows it. */
export function className(name) {
  return texts[`class.${name}`] ?? name;
}

/** A number with a fixed count of decimals; a dash for none. */
export function number(value, decimals = 0) {
  if (value === null || value === undefined) return "—";
  return new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

/** A share as per cent; a dash for none. */
export function percent(ratio, decimals = 1) {
  if (ratio === null || ratio === undefined) return "—";
  const options = { style: "percent", minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat(locale, options).format(ratio);
}

/** A duration in its largest fitting unit. */
export function duration(seconds) {
  const [unit, length_s] =
    seconds < MINUTE_S ? ["second", 1] : seconds < HOUR_S ? ["minute", MINUTE_S] : seconds < DAY_S ? ["hour", HOUR_S] : ["day", DAY_S];
  const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(locale, options).format(Math.max(0, Math.floor(seconds / length_s)));
}
