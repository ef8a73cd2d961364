// Quality over time: how many readings of each day were not good, by parameter, and why.

import { get, query } from "./api.js";
import { card, el, empty, head, labelled, show, svg, tag } from "./dom.js";
import { FLAGS } from "./flags.js";
import { count, percent } from "./format.js";
import { network } from "./network.js";

const DAY = 86400e3;
const PRESETS = [["30 days", 30], ["90 days", 90], ["1 year", 365], ["2 years", 730]];
const BAD = FLAGS.filter((one) => one.number !== 1);
const [WIDTH, HEIGHT] = [900, 92];
const LEAST_SHARE = 0.02;

export async function open(main, { signal, given }) {
  const said = el("p", { class: "muted", "aria-live": "polite" });
  const from = el("input", { type: "date", "data-key": "from", onchange: () => ask() });
  const to = el("input", { type: "date", "data-key": "to", onchange: () => ask() });
  const charts = el("div", { class: "stack" });
  const newest = given.get("to") ? null : await newestDay(signal);
  to.value = given.get("to") ?? newest ?? new Date().toISOString().slice(0, 10);
  from.value = given.get("from") ?? before(to.value, 364);

  async function ask() {
    if (!from.value || !to.value) return;
    said.textContent = "asking…";
    try {
      const found = await get(`/api/v1/quality${query({ from: from.value, to: to.value })}`, signal);
      history.replaceState(null, "", `#/quality${query({ from: from.value, to: to.value })}`);
      said.textContent = summary(found);
      show(charts, Object.entries(found.parameters).map(([name, one]) => parameter(name, one, found)));
    } catch (error) {
      if (error.name !== "AbortError") said.textContent = error.message;
    }
  }

  const presets = PRESETS.map(([text, days]) => el("button", { type: "button", onclick: () => { from.value = before(to.value, days - 1); ask(); } }, text));
  show(main, head("Quality", said),
    el("div", { class: "card" },
      el("div", { class: "controls" }, labelled("From", from), labelled("To", to), el("div", { class: "group", role: "group", "aria-label": "Span" }, presets)),
      el("div", { class: "legend" }, el("span", { class: "muted small" }, "Share of each local day's readings that was not good:"),
        BAD.map((one) => tag(`${one.sign} ${one.name}`, { flag: one.number })))),
    charts);
  await ask();
}

const before = (day, days) => new Date(new Date(day) - days * DAY).toISOString().slice(0, 10);

/** The day of the newest reading of most stations: those of a sample may be of long ago. */
async function newestDay(signal) {
  const days = (await network(signal)).map((one) => one.newest?.slice(0, 10)).filter(Boolean).sort();
  return days[Math.floor((days.length - 1) / 2)];
}

const sum = (numbers) => numbers.reduce((a, b) => a + (b ?? 0), 0);

function summary(found) {
  const all = Object.values(found.parameters).map((one) => one.days);
  const readings = sum(all.map((one) => sum(one.readings)));
  const good = sum(all.map((one) => sum(one.good)));
  return `${count(readings)} readings, ${percent(good, readings)} good`;
}

function parameter(name, { days, reasons }, { from, to }) {
  const total = sum(days.readings);
  if (!total) return card(name, empty("No readings in this span."));
  const counts = FLAGS.map((one) => [one, sum(days[one.counted])]).filter(([, number]) => number);
  return el("section", { class: "card quality", "aria-label": name },
    el("div", { class: "card-head" }, el("h2", {}, name),
      el("span", { class: "group" }, el("span", { class: "muted small" }, `${count(total)} readings`),
        counts.map(([one, number]) => tag(`${one.sign} ${one.name} ${count(number)} (${percent(number, total)})`, { flag: one.number })))),
    el("div", { class: "quality-row" }, bars(name, days, from, to), why(reasons)),
    el("details", {}, el("summary", { class: "small" }, "As a table"), listed(days)));
}

function bars(name, days, from, to) {
  const length = Math.round((new Date(to) - new Date(from)) / DAY) + 1;
  const wide = WIDTH / length;
  const share = (at) => sum(BAD.map((one) => days[one.counted][at])) / (days.readings[at] || 1);
  const most = Math.max(LEAST_SHARE, ...days.day.map((_, at) => share(at)));
  const drawn = days.day.flatMap((day, at) => {
    const x = (WIDTH * (new Date(day) - new Date(from))) / DAY / length;
    let top = HEIGHT;
    return [svg("rect", { x, y: HEIGHT, width: wide, height: 3, class: "there" }), ...BAD.map((one) => {
      const height = (HEIGHT * (days[one.counted][at] / (days.readings[at] || 1))) / most;
      top -= height;
      return height ? svg("rect", { x: x + wide * 0.06, y: top, width: Math.max(wide * 0.88, 0.8), height, class: `flagged flag-${one.number}` },
        svg("title", {}, `${day}: ${count(days[one.counted][at])} ${one.name} of ${count(days.readings[at])}`)) : null;
    })];
  });
  return el("figure", { class: "bars" },
    el("span", { class: "muted small top" }, percent(most, 1)),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 4}`, preserveAspectRatio: "none", role: "img", "aria-label": `${name}: share of readings that were not good, by day, at most ${percent(most, 1)}` },
      svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "axis" }), drawn),
    el("figcaption", { class: "muted small ends" }, el("span", {}, from), el("span", {}, to)));
}

function why(reasons) {
  if (!reasons.length) return el("p", { class: "muted small" }, "Nothing suspect, nothing failed.");
  return el("table", { class: "why" },
    el("caption", { class: "hidden" }, "Why readings were suspect or failed"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "reason"), el("th", { scope: "col", class: "number" }, "readings"))),
    el("tbody", {}, reasons.slice(0, 5).map((one) => el("tr", {}, el("th", { scope: "row" }, el("code", {}, one.reason)), el("td", { class: "number" }, count(one.readings))))));
}

function listed(days) {
  const names = ["readings", ...FLAGS.map((one) => one.counted)];
  return el("div", { class: "scroll tall" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "day"), names.map((one) => el("th", { scope: "col", class: "number" }, one.replace("_", " "))))),
    el("tbody", {}, days.day.map((day, at) => el("tr", {}, el("th", { scope: "row" }, day), names.map((one) => el("td", { class: "number" }, count(days[one][at]))))))));
}
