// Health: what is wrong first, and its mend; who works; how the lag of each hop stands.

import { ask, every, maybe, whatever } from "./api.js";
import { card, el, empty, head, notice, show, tag } from "./dom.js";
import { ago, count, moment, span } from "./format.js";

const EVERY_SECONDS = 5;
const RULES = { OK: "good", WARN: "warn", STOP: "bad", STALL: "bad", REWIND: "bad" };
const CONNECTOR = { RUNNING: "good", PAUSED: "off", STOPPED: "off", RESTARTING: "warn", UNASSIGNED: "bad", FAILED: "bad" };
const CHECK = { ok: "good", failed: "bad", "not checked": "off" };

/** One line for the head of every view. */
export function headline(told) {
  if (!told?.status) return { state: "unknown", text: "health is not known" };
  return told.status === "healthy" ? { state: "good", text: "all is well" } : { state: "bad", text: told.message };
}

export async function open(main, { signal }) {
  const at = el("p", { class: "muted small" });
  const first = el("section", { class: "card headline", "aria-live": "polite", "aria-label": "Headline" });
  const [checks, workers, lags, fresh] = [el("div"), el("div"), el("div"), el("div")];
  show(main, head("Health", at), first,
    el("div", { class: "columns wide-first" }, card("Stages", workers), card("Lag, by Burrow's rules", lags)),
    el("div", { class: "columns wide-first" }, card("Layers", checks), card("Freshness", fresh)));

  async function look() {
    const told = await whatever("/health", signal);
    if (!told?.checks) {
      show(first, empty("This API has no part for health. ", el("code", {}, "aos doctor"), " walks through the layers."));
    } else {
      const { state } = headline(told);
      show(first, el("p", { class: "state big", "data-state": state }, el("span", { class: "dot", "aria-hidden": "true" }), el("span", {}, told.message)));
      show(checks, layers(told.checks));
    }
    show(workers, stages(await maybe("/api/v1/workers", signal), order));
    show(lags, hops(await maybe("/api/v1/lag?expand=partitions", signal)));
    show(fresh, freshness(await maybe("/api/v1/freshness", signal)));
    at.textContent = moment(Math.floor(Date.now() / 1000) * 1000);
  }

  async function order(name, action) {
    if (!window.confirm(`${action[0].toUpperCase()}${action.slice(1)} ${name}?`)) return;
    try {
      await ask(action === "restart" ? "POST" : "PUT", `/connectors/${name}/${action}`, undefined, signal);
      notice(`${name}: ${action} was ordered`);
      await look();
    } catch (error) {
      if (error.name !== "AbortError") notice(error.message);
    }
  }

  await every(EVERY_SECONDS, look, signal, (error) => { at.textContent = error.message; });
}

/** A row for each layer, a mark for each part. */
function layers(checks) {
  const names = [...new Set(checks.map((one) => one.layer))];
  const parts = [...new Set(checks.map((one) => one.part))];
  const failed = checks.filter((one) => one.state === "failed");
  return [
    el("div", { class: "scroll" }, el("table", { class: "matrix" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "layer"), parts.map((part) => el("th", { scope: "col" }, part)))),
      el("tbody", {}, names.map((layer) => el("tr", {}, el("th", { scope: "row" }, layer), parts.map((part) => {
        const one = checks.find((each) => each.layer === layer && each.part === part);
        return el("td", {}, one ? el("span", { class: "state", "data-state": CHECK[one.state], title: [one.told, one.mend].filter(Boolean).join(". Mend: ") },
          el("span", { class: "dot", "aria-hidden": "true" }), one.state) : "");
      })))))),
    failed.length ? el("ul", { class: "findings" }, failed.map((one) => el("li", {}, el("strong", {}, `${one.layer} of ${one.part}: `), one.told, one.mend ? el("em", {}, ` ${one.mend}`) : null))) : null,
  ];
}

function stages(told, order) {
  if (!told) return empty("No stage has said how it is.");
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["stage", "state", "worker", "since", "done", ""].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, Object.entries(told).flatMap(([name, one]) => {
      const workers = one.workers.length ? one.workers : [null];
      return workers.map((worker, at) => el("tr", {},
        el("th", { scope: "row" }, at ? "" : name),
        el("td", {}, el("span", { class: "state", "data-state": worker?.stuck ? "bad" : (CONNECTOR[worker?.state ?? one.state] ?? "off"), title: worker ? worker.trace || `came round ${span(worker.idle_seconds)} ago` : null },
          el("span", { class: "dot", "aria-hidden": "true" }), (worker?.state ?? one.state).toLowerCase())),
        el("td", {}, worker ? el("code", {}, worker.worker_id) : "nobody"),
        el("td", {}, worker ? ago(worker.since) : ""),
        el("td", { class: "number" }, worker ? count(worker.tasks.reduce((sum, task) => sum + (task.progress ?? 0), 0)) : ""),
        el("td", { class: "group" }, at ? null : orders(name, one.ordered, order))));
    }))));
}

function orders(name, ordered, order) {
  const actions = ordered === "RUNNING" ? ["pause", "restart"] : ["resume"];
  return actions.map((action) => el("button", { type: "button", "data-key": `${name}-${action}`, "aria-label": `${action} ${name}`, onclick: () => order(name, action) }, action));
}

function hops(told) {
  if (!told) return empty("This API does not judge lag.");
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["hop", "verdict", "lag", "why"].map((name) => el("th", { scope: "col", class: name === "lag" ? "number" : null }, name)))),
    el("tbody", {}, told.hops.map((one) => {
      const bad = (one.partitions ?? []).filter((each) => each.status !== "OK");
      return el("tr", {},
        el("th", { scope: "row" }, one.connector),
        el("td", {}, tag(one.status, { state: RULES[one.status] })),
        el("td", { class: "number" }, one.lag === undefined ? span(one.behind_seconds) : count(one.lag)),
        el("td", { class: "text" }, one.problem || (bad.length ? `${count(bad.length)} partitions: ${bad.slice(0, 3).map((each) => `${each.topic} [${each.partition}] ${each.status}`).join(", ")}` : "")));
    }))));
}

function freshness(told) {
  if (!told) return empty("This API does not judge freshness.");
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["parameter", "sensors", "fresh", "late", "newest"].map((name, at) => el("th", { scope: "col", class: at && at < 4 ? "number" : null }, name)))),
    el("tbody", {}, told.parameters.map((one) => el("tr", {},
      el("th", { scope: "row" }, one.parameter),
      el("td", { class: "number" }, count(one.sensors)),
      el("td", { class: "number" }, count(one.fresh)),
      el("td", { class: `number ${one.late ? "waits" : "muted"}` }, count(one.late)),
      el("td", { title: moment(one.newest) }, ago(one.newest)))))));
}
