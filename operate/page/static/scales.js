// The scales of a plot: how high it is, and where its ticks stand.

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 86400, 172800, 262800, 525600].map((one) => one * 60e3);

/** The least step of time that is at least so long. */
export const timeStep = (least) => TIME_STEPS.find((one) => one >= least) ?? TIME_STEPS.at(-1);

/** The scale: what is clean, and what is raw as long as it is not far out. */
export function heights(series) {
  const clean = [...series.value, ...(series.least ?? []), ...(series.greatest ?? [])].filter((one) => one !== null);
  const raw = (series.raw ?? []).filter((one) => one !== null);
  const base = clean.length ? clean : raw;
  if (!base.length) return { least: 0, greatest: 1 };
  let [least, greatest] = ends(base);
  const room = Math.max(greatest - least, 1e-6) * 0.5;
  const near = raw.filter((one) => one > least - room && one < greatest + room);
  [least, greatest] = ends([least, greatest, ...near]);
  const margin = (greatest - least || Math.abs(least) || 1) * 0.06;
  return { least: least === 0 && base.every((one) => one >= 0) ? 0 : least - margin, greatest: greatest + margin };
}

const ends = (numbers) => numbers.reduce(([a, b], one) => [Math.min(a, one), Math.max(b, one)], [Infinity, -Infinity]);

export function ticks(least, greatest) {
  const rough = (greatest - least) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let at = Math.ceil(least / step); at * step <= greatest; at += 1) found.push(at * step);
  return found;
}

export const shortened = (number) => `${Number(number.toPrecision(6))}`.replace("-", "−");

export function tickText(time, step) {
  const text = new Date(time).toISOString();
  if (step >= 1440 * 60e3) return text.slice(0, 10);
  return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
}

/** The index of the time that is nearest; times rise. */
export function nearest(times, wanted) {
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < wanted) low = middle; else high = middle;
  }
  return wanted - times[low] < times[high] - wanted ? low : high;
}
