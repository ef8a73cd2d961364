// Replays: raw topics judged once more, and how far each of them has come.

import { every, maybe } from "./api.js";
import { card, el, empty, head, show, tag } from "./dom.js";
import { ago, count, moment, percent } from "./format.js";
import { table } from "./table.js";

const EVERY_SECONDS = 3;
const STATES = { ready: "good", promoted: "good", failed: "bad", judging: "warn", loading: "warn", promoting: "warn" };

export async function open(main, { signal }) {
  const said = el("p", { class: "muted", "aria-live": "polite" });
  const list = table({ caption: "Replays", key: (one) => one.name, sort: null, none: "Nothing was replayed yet: aos replay begins one.", columns: COLUMNS });
  show(main, head("Replays", said), card("Judged once more", list.element));
  await every(EVERY_SECONDS, async () => {
    const found = await maybe("/api/v1/replays", signal);
    if (found === null) return show(main, head("Replays"), empty("This API has no part for replays. ", el("code", {}, "aos replay"), " runs them."));
    const rows = Array.isArray(found) ? found : (found.replays ?? []);
    const active = rows.filter((one) => STATES[one.state] === "warn").length;
    said.textContent = active ? `${count(active)} at work` : "none at work";
    return list.rows(rows);
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
