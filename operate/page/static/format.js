// Numbers, times and ages as people read them; all times are UTC and say so.

const WHOLE = new Intl.NumberFormat("en-GB");
export const NONE = "–";

export const count = (number) => (number === null || number === undefined ? NONE : WHOLE.format(number));

/** 1 letter, 2 letters. */
export const counted = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;

export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return NONE;
  if (perSecond === 0) return "0";
  if (perSecond < 0.05) return "<0.1";
  return perSecond < 100 ? perSecond.toFixed(1) : WHOLE.format(Math.round(perSecond));
}

const DECIMALS = { degC: 1, "%": 0, hPa: 1, "m/s": 1, mm: 1, degree: 0 };
const UNITS = { degC: "°C", degree: "°" };

export const unit = (name) => UNITS[name] ?? name ?? "";

export function value(number, of) {
  if (number === null || number === undefined) return NONE;
  return number.toFixed(DECIMALS[of] ?? 2).replace(/^-(0(\.0+)?)$/, "$1").replace("-", "−");
}

export const measured = (number, of) => (number === null || number === undefined ? NONE : `${value(number, of)} ${unit(of)}`);

const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [86400 * 100, 86400, "d"], [Infinity, 86400 * 365.25, "y"]];

/** A length of time, in its largest fitting unit: 90 → "2 min". */
export function span(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return NONE;
  const [, size, name] = STEPS.find(([below]) => Math.abs(seconds) < below);
  const number = seconds / size;
  return `${size > 60 && number < 10 ? number.toFixed(1).replace(".0", "") : Math.round(number)} ${name}`;
}

export const secondsSince = (time) => (time ? (Date.now() - new Date(time)) / 1000 : null);

export const ago = (time) => (time ? `${span(secondsSince(time))} ago` : NONE);

export const day = (time) => (time ? new Date(time).toISOString().slice(0, 10) : NONE);

/** 2013-11-03 06:00Z; seconds only where there are some. */
export function moment(time) {
  if (time === null || time === undefined) return NONE;
  const text = new Date(time).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, text.endsWith(":00.000Z") ? 16 : 19)}Z`;
}

export const percent = (part, whole) => {
  if (!whole) return NONE;
  const share = (100 * part) / whole;
  if (share === 0 || share === 100) return `${share} %`;
  if (share < 0.1) return "<0.1 %";
  if (share > 99.9) return ">99.9 %";
  return `${share.toFixed(share < 10 || share > 90 ? 1 : 0)} %`;
};
