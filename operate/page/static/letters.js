// Dead letters: what could not be used, why, and how it goes on its way after all.

import { ask, get, maybe, query } from "./api.js";
import { card, el, empty, head, labelled, notice, show, tag } from "./dom.js";
import { ago, count, counted, moment } from "./format.js";
import { table } from "./table.js";

const PATH = "/api/v1/dead-letters";
const LIMIT = 500;

export async function open(main, { signal, given }) {
  const said = el("p", { class: "muted", "aria-live": "polite" });
  const reason = el("input", { type: "search", value: given.get("reason") ?? "", "data-key": "reason", placeholder: "any", onchange: () => load() });
  const station = el("input", { type: "search", value: given.get("station") ?? "", "data-key": "station", placeholder: "any", onchange: () => load() });
  const chosen = new Set();
  const send = el("button", { type: "button", class: "strong", disabled: true, onclick: redrive }, "Redrive");
  const counts = el("div", { class: "legend" });
  const window_ = el("dialog", { "aria-label": "A dead letter" });
  let rows = [];

  const list = table({ caption: "Dead letters", key: (one) => one.letter, sort: "written", descending: true, none: "no dead letters", columns: [
    { name: "choose", of: (one) => el("input", { type: "checkbox", checked: chosen.has(one.letter), "aria-label": `Choose ${one.letter}`, onchange: (event) => choose(one.letter, event.target.checked) }) },
    { name: "written", by: (one) => one.time, worstFirst: true, of: (one) => el("span", { title: ago(one.time) }, moment(one.time)) },
    { name: "station", by: (one) => one.key, of: (one) => one.key || "–" },
    { name: "reason", by: (one) => one.reason, of: (one) => el("code", {}, one.reason) },
    { name: "what is wrong", text: true, of: (one) => one.message },
    { name: "came from", by: (one) => `${one.topic}:${String(one.offset).padStart(12)}`, of: (one) => el("code", { class: "small" }, `${one.topic}:${one.partition}:${one.offset}`) },
    { name: "redriven", by: (one) => stand(one), of: (one) => (stand(one) ? tag(stand(one), { state: one.redriven?.state === "done" ? "good" : "warn" }) : "") },
    { name: "", of: (one) => el("button", { type: "button", onclick: () => letter(one), "aria-label": `Open ${one.letter}` }, "Open") },
  ] });

  function choose(name, is) {
    if (is) chosen.add(name); else chosen.delete(name);
    send.disabled = !chosen.size;
    send.textContent = chosen.size ? `Redrive ${count(chosen.size)}` : "Redrive";
  }

  async function load() {
    const found = await maybe(`${PATH}${query({ limit: LIMIT, reason: reason.value.trim(), station: station.value.trim() })}`, signal);
    if (found === null) return show(main, head("Dead letters"), empty("This API has no part for dead letters. ", el("code", {}, "aos dlq list"), " shows them."));
    rows = Array.isArray(found) ? found : (found.letters ?? []);
    chosen.clear();
    choose("", false);
    said.textContent = rows.length >= LIMIT ? `the newest ${count(LIMIT)}` : counted(rows.length, "letter");
    show(counts, [...tally(rows)].map(([name, number]) =>
      el("button", { type: "button", "aria-pressed": reason.value === name, onclick: () => { reason.value = reason.value === name ? "" : name; load(); } }, `${name} ${count(number)}`)));
    return list.rows(rows, { again: true });
  }

  async function redrive() {
    const names = [...chosen];
    if (!window.confirm(`Send ${names.length} records where they came from, as they are?`)) return;
    await act(() => ask("POST", `${PATH}/redrive`, { letters: names }, signal), (told) => outcome(told, names.length));
  }

  async function act(work, words) {
    try {
      notice(words(await work()));
      await load();
    } catch (error) {
      if (error.name !== "AbortError") notice(error.message);
    }
  }

  async function letter(one) {
    let told = one;
    try {
      told = (await maybe(`${PATH}/${encodeURIComponent(one.letter)}`, signal)) ?? one;
    } catch (error) {
      notice(error.message);
    }
    const fields = told.contents?.fields ?? {};
    const inputs = {};
    const close = () => window_.close();
    show(window_,
      el("div", { class: "card-head" }, el("h2", {}, one.letter), el("button", { type: "button", onclick: close }, "Close")),
      el("p", {}, el("code", {}, one.reason), " ", one.message),
      told.contents?.problem ? el("p", { class: "waits" }, told.contents.problem) : null,
      Object.keys(fields).length
        ? el("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); edit(one, fields, inputs).then(close); } },
          el("div", { class: "fields" }, Object.entries(fields).map(([name, value]) => {
            inputs[name] = el("input", { value: value === null ? "null" : `${value}` });
            return labelled(name, inputs[name]);
          })),
          el("div", { class: "controls" }, el("button", { class: "strong" }, "Redrive with these changes"), el("span", { class: "muted small" }, "It is checked against the schema; null stands for nothing.")))
        : el("p", {}, "It begins: ", el("code", {}, one.start)),
      told.headers ? el("details", {}, el("summary", {}, "Headers"), el("dl", { class: "facts" }, Object.entries(told.headers).map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", { class: "code" }, text))))) : null);
    window_.showModal();
  }

  async function edit(one, fields, inputs) {
    const changes = Object.fromEntries(Object.entries(inputs).filter(([name, input]) => input.value !== (fields[name] === null ? "null" : `${fields[name]}`)).map(([name, input]) => [name, input.value]));
    if (!Object.keys(changes).length) return notice("Nothing was changed: choose it in the list to redrive it as it is.");
    return act(() => ask("POST", `${PATH}/${encodeURIComponent(one.letter)}/edit`, { changes }, signal), (told) => outcome([told], 1));
  }

  show(main, head("Dead letters", said),
    card("What could not be used",
      el("div", { class: "controls" }, labelled("Reason", reason), labelled("Station", station), send),
      counts, list.element),
    window_);
  await load();
}

const WORDS = { begun: "begun, not known to be done", done: "redriven", failed: "failed" };

/** How its last redrive stands; nobody can say where that is null. */
function stand({ redriven }) {
  if (redriven === null) return "not known";
  return redriven.state ? `${WORDS[redriven.state] ?? redriven.state} ${moment(redriven.at)} by ${redriven.who}` : "";
}

function tally(rows) {
  const found = new Map();
  for (const one of rows) found.set(one.reason, (found.get(one.reason) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]);
}

function outcome(told, number) {
  const list = Array.isArray(told) ? told : (told?.outcomes ?? []);
  if (!list.length) return `${count(number)} sent`;
  const states = new Map();
  for (const one of list) states.set(one.state, (states.get(one.state) ?? 0) + 1);
  const why = list.find((one) => one.why)?.why;
  return [...states].map(([state, n]) => `${count(n)} ${state}`).join(", ") + (why ? `: ${why}` : "");
}
