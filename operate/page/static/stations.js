// Every station: where it is, when it was last heard, what it said, what it was worth.

import { every } from "./api.js";
import { card, el, head, labelled, option, show, tag } from "./dom.js";
import { flagOf, WORSE } from "./flags.js";
import { ago, count, counted, day, measured, moment, secondsSince } from "./format.js";
import { map } from "./map.js";
import { dueSoon, network, SOON_DAYS, STATES } from "./network.js";
import { open as openStation } from "./station.js";
import { table } from "./table.js";

const EVERY_SECONDS = 30;
const SHOWN = [["temperature", "temperature"], ["humidity", "humidity"], ["wind_speed", "wind"], ["pressure", "pressure"], ["rainfall", "rainfall"]];
const WANTED = {
  all: ["all stations", () => true],
  fresh: ["fresh", (one) => one.state === "fresh"],
  late: ["late or silent", (one) => one.state !== "fresh"],
  flagged: ["newest reading flagged", (one) => one.flag === 3 || one.flag === 4],
  missing: ["newest reading missing", (one) => one.flag === 9],
  due: [`calibration due in ${SOON_DAYS} days`, (one) => dueSoon(one.due)],
};
const kept = { text: "", wanted: "all" };

export async function open(main, { signal, rest, given }) {
  if (rest.length) return openStation(main, { signal, station: rest[0], given });
  const said = el("p", { class: "muted", "aria-live": "polite" });
  const list = table({ columns: COLUMNS, caption: "Stations", key: (one) => one.station_id, sort: "station", none: "no station fits" });
  const drawn = map({ signal, onchoose: (id) => { location.hash = `#/stations/${encodeURIComponent(id)}`; } });
  let all = [];

  const find = el("input", { type: "search", value: kept.text, placeholder: "id or name", "data-key": "find", oninput: (event) => { kept.text = event.target.value; draw(true); } });
  const choose = el("select", { "data-key": "wanted", onchange: (event) => { kept.wanted = event.target.value; draw(true); } },
    Object.entries(WANTED).map(([name, [text]]) => option(name, text, kept.wanted)));

  function draw(again = false) {
    const text = kept.text.trim().toLowerCase();
    const fits = WANTED[kept.wanted][1];
    const chosen = all.filter((one) => fits(one) && (!text || `${one.station_id} ${one.name ?? ""} ${one.wigos_id ?? ""}`.toLowerCase().includes(text)));
    list.rows(chosen, { again });
    drawn.points(chosen, again);
    said.textContent = summary(all, chosen);
  }

  show(main,
    head("Stations", said),
    el("div", { class: "card" },
      el("div", { class: "controls" }, labelled("Find", find), labelled("Show", choose)),
      drawn.element),
    card("Newest readings", list.element));
  await every(EVERY_SECONDS, async () => {
    const first = !all.length;
    const found = await network(signal, (some) => { if (first) { all = some; draw(); } });
    all = found;
    draw();
  }, signal, (error) => { said.textContent = error.message; });
}

function summary(all, chosen) {
  const number = (state) => all.filter((one) => one.state === state).length;
  const told = [counted(all.length, "station"), `${count(number("fresh"))} fresh`, `${count(number("late"))} late`, `${count(number("silent") + number("unknown"))} silent`];
  if (chosen.length !== all.length) told.unshift(`${count(chosen.length)} shown of`);
  return told.join(" · ").replace("of ·", "of");
}

const measuresOf = (station, measure, parameter) =>
  station.sensors.filter((one) => one.parameter === parameter)
    .map((sensor) => ({ sensor, found: sensor.values.find((one) => one.measure === measure) }))
    .filter((one) => one.found);

function lastValue(measure, parameter) {
  return {
    name: parameter,
    number: true,
    by: (station) => measuresOf(station, measure, parameter)[0]?.found.value,
    of: (station) => {
      const [first, ...others] = measuresOf(station, measure, parameter);
      if (!first) return el("span", { class: "muted" }, "–");
      const { sensor, found } = first;
      const flag = flagOf(sensor.flag);
      const title = `${flag.name}${sensor.reason ? ` (${sensor.reason})` : ""}, ${moment(sensor.observed_at)}${others.length ? `, ${others.length} more sensor` : ""}`;
      const text = found.value === null && found.raw_value !== null ? measured(found.raw_value, found.unit) : measured(found.value, found.unit);
      return el("span", { class: `value flag-${flag.number}`, title },
        flag.number === 1 ? null : el("span", { class: "sign", role: "img", "aria-label": flag.name }, flag.sign), text);
    },
  };
}

const COLUMNS = [
  {
    name: "station",
    by: (one) => one.station_id,
    of: (one) => el("a", { href: `#/stations/${encodeURIComponent(one.station_id)}` }, one.station_id, one.name ? el("span", { class: "beside" }, one.name) : null),
  },
  {
    name: "heard",
    by: (one) => secondsSince(one.newest),
    worstFirst: true,
    of: (one) => el("span", { "data-state": STATES[one.state].state, class: "state", title: moment(one.newest) },
      el("span", { class: "dot", "aria-hidden": "true" }), el("span", {}, `${STATES[one.state].text}${one.newest ? `, ${ago(one.newest)}` : ""}`)),
  },
  ...SHOWN.map(([measure, parameter]) => lastValue(measure, parameter)),
  {
    name: "flag",
    by: (one) => (one.flag === null ? null : WORSE[one.flag]),
    worstFirst: true,
    of: (one) => (one.flag === null ? "–" : tag(flagOf(one.flag).name, { flag: one.flag })),
  },
  {
    name: "calibration due",
    by: (one) => one.due,
    of: (one) => (one.due ? el("span", { class: dueSoon(one.due) ? "waits" : null }, day(one.due)) : el("span", { class: "muted" }, "–")),
  },
];
