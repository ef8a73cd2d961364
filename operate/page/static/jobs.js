// Jobs: what runs by itself and when next, what is at work, what became of the rest.

import { ask, every, maybe } from "./api.js";
import { card, el, empty, head, notice, show, tag } from "./dom.js";
import { ago, count, moment, span } from "./format.js";
import { table } from "./table.js";

const EVERY_SECONDS = 5;
const PATH = "/api/v1/jobs";
const STATES = { succeeded: "good", failed: "bad", running: "warn" };
const ACTIVE = new Set(["waiting", "queued", "running"]);

/** Where a run is, as far as it says so. */
const at = (one) => (one.percent === null || one.percent === undefined || !ACTIVE.has(one.status) ? "" : `${one.stage ?? ""} ${Math.round(one.percent)} %`);

export async function open(main, { signal }) {
  const said = el("p", { class: "muted", "aria-live": "polite" });
  const queues = el("div", { class: "legend" });
  const runs = table({ caption: "Runs", key: (one) => one.run, sort: null, none: "Nothing has run yet.", columns: [
    { name: "run", number: true, by: (one) => one.run, of: (one) => count(one.run) },
    { name: "job", by: (one) => one.job, of: (one) => one.job },
    { name: "status", by: (one) => one.status, of: (one) => tag(one.status, { state: STATES[one.status] }) },
    { name: "begun", by: (one) => one.start ?? one.asked, of: (one) => { const at = one.start ?? one.asked; return el("span", { title: moment(at) }, ago(at)); } },
    { name: "took", number: true, by: (one) => one.duration, of: (one) => span(one.duration) },
    { name: "loaded", number: true, by: (one) => one.loaded, of: (one) => count(one.loaded) },
    { name: "failed", number: true, by: (one) => one.failed, of: (one) => count(one.failed) },
    { name: "by", by: (one) => one.who, of: (one) => one.who ?? "" },
    { name: "told", text: true, of: (one) => one.errors?.at(-1)?.message ?? at(one) },
    { name: "", of: (one) => (!ACTIVE.has(one.status) ? "" : el("button", { type: "button", onclick: () => cancel(one) }, "Cancel")) },
  ] });
  const known = table({ caption: "Jobs", key: (one) => one.job, sort: "job", none: "There are no jobs.", columns: [
    { name: "job", by: (one) => one.job, of: (one) => one.job },
    { name: "does", text: true, of: (one) => one.does },
    { name: "when", of: (one) => (one.cron ? el("span", {}, el("code", {}, one.cron), ` ${one.zone}`) : el("span", { class: "muted" }, "when asked")) },
    { name: "next", by: (one) => one.next, of: (one) => (one.next ? moment(one.next) : "–") },
    { name: "", of: (one) => el("button", { type: "button", onclick: () => run(one) }, "Run now") },
  ] });

  async function act(work, words) {
    try {
      await work();
      notice(words);
      await load();
    } catch (error) {
      if (error.name !== "AbortError") notice(error.message);
    }
  }

  const run = (one) => window.confirm(`Run ${one.job} now?`) && act(() => ask("POST", `${PATH}/runs`, { job: one.job, who: "page" }, signal), `${one.job} is asked for`);
  const cancel = (one) => act(() => ask("DELETE", `${PATH}/runs/${one.run}`, undefined, signal), `run ${one.run} is being cancelled`);

  async function load() {
    const jobs = await maybe(PATH, signal);
    if (jobs === null) return show(main, head("Jobs"), empty("This API has no part for jobs. ", el("code", {}, "aos jobs"), " shows them."));
    known.rows(jobs);
    const found = (await maybe(`${PATH}/runs`, signal)) ?? [];
    const who = (await maybe(`${PATH}/workers`, signal)) ?? { workers: [], queues: [] };
    runs.rows(found);
    said.textContent = `${count(who.workers.length)} workers, ${count(found.filter((one) => ACTIVE.has(one.status)).length)} runs not over`;
    return show(queues, who.queues.map((one) => tag(`${one.queue}: ${count(one.ready)} wait, ${count(one.working)} at work, ${one.least} to ${one.most} workers`)));
  }

  show(main, head("Jobs", said), el("div", { class: "card" }, el("h2", {}, "Runs"), queues, runs.element), card("What there is", known.element));
  await every(EVERY_SECONDS, load, signal, (error) => { said.textContent = error.message; });
}
