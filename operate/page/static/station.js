// One station: its sensors, and the readings of one of them, raw against clean.

import { get, maybe, query } from "./api.js";
import { card, el, empty, head, labelled, option, show, tag } from "./dom.js";
import { FLAGS, flagOf, WORSE } from "./flags.js";
import { ago, count, day, measured, moment, percent, span, value } from "./format.js";
import { dueSoon, stateOf, STATES } from "./network.js";
import { plot } from "./plot.js";
import { table } from "./table.js";

const DAY = 86400e3;
const PRESETS = [["24 h", 1], ["7 days", 7], ["30 days", 30], ["1 year", 365]];
const APART = 1.75;
const AGGREGATED = { "10min": 600e3, hour: 3600e3, day: DAY };

export async function open(main, { signal, station: id, given }) {
  const all = await maybe(`/api/v1/stations/${encodeURIComponent(id)}`, signal);
  if (!all) {
    show(main, head(id), empty(`There is no station ${id}. `, el("a", { href: "#/stations" }, "All stations")));
    return;
  }
  const measures = all.sensors.flatMap((sensor) => sensor.values.map(({ measure }) => ({ sensor, measure, name: `${sensor.sensor_id}/${measure}` })));
  show(main,
    head([all.station_id, all.name ? el("span", { class: "beside" }, all.name) : null], el("p", {}, el("a", { href: "#/stations" }, "All stations"))),
    el("section", { class: "card", "aria-label": "About the station" }, facts(all)),
    measures.length ? readings(measures, given, signal, id) : empty("It has no readings."),
    card("Sensors", sensors(all)));
}

function facts(station) {
  const place = station.latitude === null ? "–" : `${station.latitude.toFixed(4)}°, ${station.longitude.toFixed(4)}°`;
  const newest = station.sensors.map((one) => one.observed_at).filter(Boolean).sort().at(-1);
  const told = { "WIGOS id": station.wigos_id ?? "–", "Latitude, longitude": place, Elevation: station.elevation === null || station.elevation === undefined ? "–" : `${station.elevation} m`,
    "Newest reading": newest ? `${moment(newest)} (${ago(newest)})` : "–", Sensors: count(station.sensors.length) };
  return el("dl", { class: "facts" }, Object.entries(told).map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text))));
}

function sensors(station) {
  const shown = table({ caption: "Sensors", key: (one) => one.sensor_id, sort: "sensor", columns: [
    { name: "sensor", by: (one) => one.sensor_id, of: (one) => el("code", {}, one.sensor_id) },
    { name: "heard", by: (one) => one.observed_at, of: (one) => el("span", { class: "state", "data-state": STATES[stateOf(one)].state, title: moment(one.observed_at) }, el("span", { class: "dot", "aria-hidden": "true" }), STATES[stateOf(one)].text) },
    { name: "newest", number: true, of: (one) => one.values.map((each) => measured(each.value, each.unit)).join(" · ") || "–" },
    { name: "flag", by: (one) => WORSE[one.flag], of: (one) => (one.flag === null ? "–" : tag(flagOf(one.flag).name, { flag: one.flag, title: one.reason })) },
    { name: "score", number: true, by: (one) => one.score, of: (one) => (one.score === null ? "–" : value(one.score)) },
    { name: "every", number: true, by: (one) => one.cadence_seconds, of: (one) => span(one.cadence_seconds) },
    { name: "model", by: (one) => one.model, of: (one) => one.model ?? "–" },
    { name: "serial", by: (one) => one.serial, of: (one) => (one.serial ? el("code", {}, one.serial) : "–") },
    { name: "height", number: true, by: (one) => one.height, of: (one) => (one.height === null ? "–" : `${one.height} m`) },
    { name: "calibration due", by: (one) => one.calibration_due, of: (one) => el("span", { class: dueSoon(one.calibration_due) ? "waits" : null }, day(one.calibration_due)) },
  ] });
  shown.rows(station.sensors);
  return shown.element;
}

function readings(measures, given, signal, id) {
  let chosen = measures.find((one) => one.name === given.get("of")) ?? measures.find((one) => one.measure === "temperature") ?? measures[0];
  let asked = { from: given.get("from"), to: given.get("to") };
  let latest = 0;
  const said = el("p", { class: "muted small", "aria-live": "polite" });
  const legend = el("div", { class: "legend" });
  const flagged = table({ caption: "What is not good in this span", sort: null, page: 12, none: "every reading of this span is good", columns: FLAGGED });
  const drawn = plot({ signal, label: () => `${chosen.sensor.sensor_id} ${chosen.measure}`, onspan: (from, to) => ask(from === null ? { from: null, to: null } : { from: iso(from), to: iso(to) }) });

  const choose = el("select", { "data-key": "measure", onchange: (event) => { chosen = measures.find((one) => one.name === event.target.value); ask(asked); } },
    measures.map((one) => option(one.name, one.measure === one.sensor.parameter ? one.sensor.sensor_id : `${one.sensor.sensor_id}, ${one.measure.replace("wind_", "")}`, chosen.name)));
  const presets = PRESETS.map(([text, days]) => el("button", { type: "button", onclick: () => {
    const to = new Date(chosen.sensor.observed_at);
    return ask({ from: iso(to - days * DAY), to: iso(to) });
  } }, text));
  const steps = [["←", "Earlier", () => drawn.pan(-0.5)], ["→", "Later", () => drawn.pan(0.5)], ["+", "Zoom in", () => drawn.zoom(0.5)], ["−", "Zoom out", () => drawn.zoom(2)]]
    .map(([text, label, act]) => el("button", { type: "button", "aria-label": label, onclick: act }, text));

  async function ask(span) {
    asked = span;
    const turn = (latest += 1);
    said.textContent = "asking…";
    const found = await get(`/api/v1/readings${query({ sensor: chosen.sensor.sensor_id, measure: chosen.measure, ...span })}`, signal)
      .catch((error) => { if (error.name !== "AbortError") said.textContent = error.message; });
    if (!found || turn !== latest) return;
    const parts = query({ of: chosen.name, ...span });
    history.replaceState(null, "", `#/stations/${encodeURIComponent(id)}${parts}`);
    const series = seriesOf(found);
    drawn.data(series);
    said.textContent = explained(found);
    show(legend, keys(found, series));
    flagged.rows(listed(series).reverse(), { again: true });
  }

  ask(asked);
  return el("section", { class: "card", "aria-label": "Readings" },
    el("div", { class: "controls" }, labelled("Readings of", choose),
      el("div", { class: "group", role: "group", "aria-label": "Time span" }, presets),
      el("div", { class: "group", role: "group", "aria-label": "Move and zoom" }, steps)),
    said, legend, drawn.element, el("h3", {}, "Not good in this span"), flagged.element);
}

const iso = (time) => new Date(time).toISOString();

/** What the plot draws; a point of an aggregate has the worst flag of its readings. */
function seriesOf(found) {
  const { points } = found;
  const usual = AGGREGATED[found.resolution] ?? (found.cadence_seconds ?? 3600) * 1000;
  const apart = Math.max(usual, (found.cadence_seconds ?? 0) * 1000) * APART;
  const common = { time: points.time, value: points.value, unit: found.unit, from: +new Date(found.from), to: +new Date(found.to), apart };
  if (found.resolution === "readings") return { ...common, raw: points.raw, flag: points.flag, reason: points.reason };
  const flag = points.time.map((_, at) => (points.failed[at] ? 4 : points.suspect[at] ? 3 : points.missing[at] === points.readings[at] ? 9 : 1));
  const reason = points.time.map((_, at) => ["suspect", "failed", "missing"].filter((name) => points[name][at]).map((name) => `${points[name][at]} ${name}`).join(",") || null);
  const hasBand = points.least.some((one) => one !== null);
  return { ...common, flag, reason, least: hasBand ? points.least : null, greatest: hasBand ? points.greatest : null };
}

const WIDTHS = { "10min": "10 minutes", hour: "hours", day: "days" };

function explained(found) {
  const number = count(found.points.time.length);
  const when = `${moment(found.from)} to ${moment(found.to)}`;
  if (!found.points.time.length) return `${when}: no readings; the newest is of ${moment(found.newest)}`;
  if (found.resolution === "readings") return `${when}: ${number} readings${found.next ? ", the rest did not fit: zoom in" : ""}`;
  return `${when}: means of ${number} ${WIDTHS[found.resolution]}, with least and greatest; zoom in to see readings, and what was raw`;
}

function keys(found, series) {
  const totals = new Map();
  for (const flag of series.flag) totals.set(flag, (totals.get(flag) ?? 0) + 1);
  const lines = found.resolution === "readings" ? [el("span", { class: "key b" }, "clean"), el("span", { class: "key a dashed" }, "raw")] : [el("span", { class: "key b" }, "mean")];
  return [lines, FLAGS.filter((one) => totals.has(one.number)).map((one) =>
    tag(`${one.sign} ${one.name} ${count(totals.get(one.number))} (${percent(totals.get(one.number), series.flag.length)})`, { flag: one.number }))];
}

const listed = (series) => series.time.flatMap((time, at) => (series.flag[at] === 1 ? [] : [{
  time, flag: series.flag[at], reason: series.reason[at], value: series.value[at], raw: series.raw?.[at], unit: series.unit }]));

const FLAGGED = [
  { name: "observed", by: (one) => one.time, of: (one) => moment(one.time) },
  { name: "flag", by: (one) => WORSE[one.flag], worstFirst: true, of: (one) => tag(flagOf(one.flag).name, { flag: one.flag }) },
  { name: "raw", number: true, by: (one) => one.raw, of: (one) => measured(one.raw, one.unit) },
  { name: "clean", number: true, by: (one) => one.value, of: (one) => measured(one.value, one.unit) },
  { name: "reason", text: true, by: (one) => one.reason, of: (one) => (one.reason ?? "").replaceAll(",", ", ") },
];
