// Replays: raw topics judged once more, and how far each of them has come.

import { ask, every, get, maybe } from "./api.js";
import { card, el, empty, head, notice, show, tag } from "./dom.js";
import { flagOf } from "./flags.js";
import { ago, count, moment, percent, value } from "./format.js";
import { table } from "./table.js";

const EVERY_SECONDS = 3;
const PATH = "/api/v1/replays";
const STATES = { ready: "good", promoted: "good", failed: "bad", judging: "warn", loading: "warn", promoting: "warn" };

export async function open(main, { signal }) {
  const said = el("p", { class: "muted", "aria-live": "polite" });
  const difference = el("dialog", { "aria-label": "What would change" });
  const columns = [...COLUMNS, { name: "", of: actions }];
  const list = table({ caption: "Replays", key: (one) => one.name, sort: null, none: "Nothing was replayed yet: aos replay begins one.", columns });

  function actions(one) {
    const button = (text, act) => el("button", { type: "button", "data-key": `${text}-${one.name}`, "aria-label": `${text} ${one.name}`, onclick: act }, text);
    if (one.state === "ready") return [button("Compare", () => compare(one)), " ", button("Promote", () => order(one, "POST", "/promote", "Promote")), " ", button("Drop", () => order(one, "DELETE", "", "Drop"))];
    return one.state === "failed" ? [button("Resume", () => order(one, "POST", "/resume", "Resume")), " ", button("Drop", () => order(one, "DELETE", "", "Drop"))] : "";
  }

  async function order(one, method, rest, what) {
    if (!window.confirm(`${what} ${one.name}?`)) return;
    try {
      await ask(method, `${PATH}/${encodeURIComponent(one.name)}${rest}`, undefined, signal);
      notice(`${one.name}: ${what.toLowerCase()} was asked for`);
    } catch (error) {
      if (error.name !== "AbortError") notice(error.message);
    }
  }

  async function compare(one) {
    try {
      notice("comparing…");
      const found = await get(`${PATH}/${encodeURIComponent(one.name)}/diff`, signal);
      show(difference, el("div", { class: "card-head" }, el("h2", {}, `If ${one.name} were promoted`), el("button", { type: "button", onclick: () => difference.close() }, "Close")), changes(found));
      notice("");
      difference.showModal();
    } catch (error) {
      if (error.name !== "AbortError") notice(error.message);
    }
  }

  show(main, head("Replays", said), card("Judged once more", list.element), difference);
  await every(EVERY_SECONDS, async () => {
    const found = await maybe(PATH, signal);
    if (found === null) return show(main, head("Replays"), empty("This API has no part for replays. ", el("code", {}, "aos replay"), " runs them."));
    const active = found.filter((one) => STATES[one.state] === "warn").length;
    said.textContent = active ? `${count(active)} at work` : "none at work";
    return list.rows(found);
  }, signal, (error) => { said.textContent = error.message; });
}

function progress(one) {
  const done = one.readings_done ?? 0;
  const total = one.readings_total ?? 0;
  return el("span", { class: "progress" },
    el("progress", { max: total || 1, value: total ? done : 0, "aria-label": `${one.name}: ${percent(done, total)}` }),
    el("span", { class: "number" }, `${count(done)} of ${count(total)}`));
}

const COLUMNS = [
  { name: "name", by: (one) => one.name, of: (one) => one.name },
  { name: "state", by: (one) => one.state, of: (one) => [tag(one.state, { state: STATES[one.state] }), one.problem ? el("span", { class: "small waits" }, ` ${one.problem}`) : null].filter(Boolean) },
  { name: "readings", of: progress },
  { name: "from", by: (one) => one.from, of: (one) => moment(one.from) },
  { name: "to", by: (one) => one.to, of: (one) => moment(one.to) },
  { name: "of", text: true, of: (one) => [...(one.stations ?? []), ...(one.parameters ?? [])].join(", ") || "everything" },
  { name: "ruleset", by: (one) => one.ruleset, of: (one) => one.ruleset ?? "the stream's" },
  { name: "into", by: (one) => one.into, of: (one) => one.into },
  { name: "begun", by: (one) => one.started_at, of: (one) => el("span", { title: moment(one.started_at) }, `${ago(one.started_at)}${one.who ? ` by ${one.who}` : ""}`) },
];

/** What would change: counts by parameter, from which flag to which, the largest changes. */
function changes(found) {
  const largest = found.flatMap((one) => one.largest.map((row) => ({ ...row, parameter: one.parameter }))).slice(0, 12);
  const moved = found.flatMap((one) => one.flags.map((row) => ({ ...row, parameter: one.parameter })));
  return [
    plain(["parameter", "judged again", "would change", "new", "otherwise judged", "otherwise named"],
      found.map((one) => [one.parameter, ...[one.compared, one.counts.readings, one.counts.added, one.counts.judged, one.counts.named].map(count)])),
    moved.length ? el("h3", {}, "From flag to flag") : null,
    moved.length ? plain(["parameter", "was", "becomes", "readings"], moved.map((row) => [row.parameter, flagTag(row.was), flagTag(row.becomes), count(row.readings)])) : null,
    largest.length ? el("h3", {}, "Largest changes") : null,
    largest.length ? plain(["sensor", "observed", "measure", "was", "becomes", "raw", "reason"],
      largest.map((row) => [row.sensor_id, moment(row.observed_at), row.measure, value(row.was), value(row.becomes), value(row.raw), row.reason ?? ""])) : null,
  ].filter(Boolean);
}

const flagTag = (number) => tag(flagOf(number).name, { flag: number });

const plain = (headings, rows) => el("div", { class: "scroll" }, el("table", {},
  el("thead", {}, el("tr", {}, headings.map((name) => el("th", { scope: "col" }, name)))),
  el("tbody", {}, rows.map(([first, ...rest]) => el("tr", {}, el("th", { scope: "row" }, first), rest.map((one) => el("td", {}, one)))))));
