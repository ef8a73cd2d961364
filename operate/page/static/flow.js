// How the readings flow: stores are boxes, stages are the ways between them.

import { every, get, maybe } from "./api.js";
import { card, el, empty, head, show, svg, tag } from "./dom.js";
import { ago, count, counted, moment, rate, secondsSince } from "./format.js";

const EVERY_SECONDS = 2;

export async function open(main, { signal }) {
  const at = el("p", { class: "muted small" });
  const line = el("div", { class: "line", role: "list", "aria-label": "From AOS to TimescaleDB" });
  const parameters = el("div");
  const course = el("div");
  const sources = el("div");
  show(main,
    head("Flow", at),
    el("section", { class: "card", "aria-label": "The way of the readings" }, line),
    el("div", { class: "columns" },
      card("By parameter", parameters),
      el("div", { class: "stack" }, card("Last minutes", course), card("Read from AOS", sources))));
  let [stages, letters] = [{}, {}];
  every(30, async () => { letters = await deadLetters(signal); }, signal);
  every(5, async () => { stages = await states(signal); }, signal);
  await every(EVERY_SECONDS, async () => {
    const flow = await get("/api/v1/flow", signal);
    at.textContent = flow.over_seconds ? `rates of the last ${Math.round(flow.over_seconds)} s, ${moment(flow.at)}` : "rates in a moment";
    show(line, way(flow, stages, letters));
    show(parameters, table(flow));
    show(course, courses(flow.history));
    show(sources, cursors(flow.cursors));
  }, signal, (error) => {
    at.textContent = error.message;
    if (!line.childElementCount) show(line, empty(error.message));
  });
}

/** The state of each stage, and the verdict on its lag; nothing where nobody says so. */
async function states(signal) {
  const workers = (await maybe("/api/v1/workers", signal)) ?? {};
  const lag = (await maybe("/api/v1/lag", signal)) ?? { hops: [] };
  const verdicts = Object.fromEntries(lag.hops.map((one) => [one.connector, one.status]));
  return Object.fromEntries(Object.entries(workers).map(([name, one]) =>
    [name, { state: one.workers.some((each) => each.stuck) ? "FAILED" : one.state, verdict: verdicts[name] }]));
}

/** How many records each stage has given up; what came from a raw topic was the stream's. */
async function deadLetters(signal) {
  const told = (await maybe("/api/v1/dead-letters/counts?by=topic", signal)) ?? [];
  const sum = (part) => told.filter((one) => one.topic.includes(part)).reduce((all, one) => all + one.letters, 0);
  return { stream: sum("aos.raw."), sink: sum("weather.clean.") };
}

const SHOWN = { RUNNING: "good", PAUSED: "off", STOPPED: "off", FAILED: "bad", UNASSIGNED: "bad", RESTARTING: "warn" };

function way(flow, stages, letters) {
  const { raw, stream, clean, sink } = flow.total;
  const newest = flow.cursors.map((one) => micros(one.updated_at)).sort().at(-1);
  return [
    store("AOS", newest ? `published ${recently(newest)}` : "not read yet", counted(flow.cursors.length, "table")),
    stage("source", stages["aos-source"], raw.rate),
    store("Raw topics", count(raw.end), "offsets"),
    stage("stream", stages["aos-stream"], stream.rate, stream.lag, letters.stream),
    store("Clean topics", count(clean.end), "offsets"),
    stage("sink", stages["timescale-sink"], sink.rate, sink.lag, letters.sink),
    store("TimescaleDB", sink.lag ? `${count(sink.lag)} to come` : "up to date", "weather.*"),
  ];
}

const store = (name, number, what) =>
  el("div", { class: "store", role: "listitem" }, el("strong", {}, name), el("span", { class: "big" }, number), el("span", { class: "muted small" }, what));

function stage(name, { state, verdict } = {}, perSecond, lag, letters) {
  const moving = perSecond > 0;
  const told = [el("span", { class: "big" }, rate(perSecond), el("span", { class: "unit" }, " /s"))];
  if (lag !== undefined) told.push(el("span", { class: lag ? "waits" : "muted small" }, lag ? `${count(lag)} wait` : "nothing waits"));
  if (verdict && verdict !== "OK") told.push(el("a", { class: "small", href: "#/health" }, tag(verdict, { state: verdict === "WARN" ? "warn" : "bad" })));
  if (letters) told.push(el("a", { class: "small dead", href: "#/letters" }, counted(letters, "dead letter")));
  return el("div", { class: "stage", role: "listitem", "data-moving": `${moving}` },
    el("span", { class: "name", "data-state": SHOWN[state] ?? "unknown", title: state ?? "its state is not known" },
      state ? el("span", { class: "dot", "aria-hidden": "true" }) : null, name,
      state && state !== "RUNNING" ? el("em", {}, ` ${state.toLowerCase()}`) : null),
    svg("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("line", { x1: 0, y1: 6, x2: 100, y2: 6, class: "track" }),
      svg("line", { x1: 0, y1: 6, x2: 100, y2: 6, class: "run" })),
    ...told);
}

function table(flow) {
  const cells = (one) => [
    el("td", { class: "number" }, count(one.raw.end)),
    el("td", { class: "number" }, rate(one.raw.rate)),
    waiting(one.stream.lag),
    el("td", { class: "number" }, rate(one.clean.rate)),
    waiting(one.sink.lag),
    el("td", { class: "number" }, rate(one.sink.rate)),
  ];
  const headings = ["raw end", "raw/s", "stream lag", "clean/s", "sink lag", "loaded/s"];
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "parameter"), headings.map((name) => el("th", { scope: "col", class: "number" }, name)))),
    el("tbody", {}, flow.parameters.map((one) => el("tr", {}, el("th", { scope: "row" }, one.parameter), cells(one)))),
    el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, "all"), cells(flow.total)))));
}

const waiting = (lag) => el("td", { class: `number ${lag ? "waits" : "muted"}` }, count(lag));

/** The rates of the last minutes as three lines, what waits as two. */
function courses(history) {
  if (history.length < 2) return empty("They are drawn while this page is open.");
  return [
    chart(history, [["raw", "published", "a"], ["judged", "judged", "b"], ["loaded", "loaded", "c"]], "records/s"),
    chart(history, [["stream_lag", "before the stream", "b"], ["sink_lag", "before the sink", "c"]], "waiting"),
  ];
}

function chart(history, series, what) {
  const [width, height] = [600, 70];
  const most = Math.max(1, ...history.flatMap((point) => series.map(([name]) => point[name])));
  const first = new Date(history[0].at);
  const length = new Date(history.at(-1).at) - first || 1;
  const path = (name) => history.map((point, at) => {
    const x = (width * (new Date(point.at) - first)) / length;
    return `${at ? "L" : "M"}${x.toFixed(1)} ${(height - 3 - ((height - 6) * point[name]) / most).toFixed(1)}`;
  }).join("");
  const now = series.map(([name, title]) => `${title} ${rate(history.at(-1)[name])}`).join(", ");
  return el("figure", { class: "course" },
    el("figcaption", { class: "small" }, el("span", { class: "muted" }, `${what}, up to ${rate(most)} · `),
      series.map(([, title, mark]) => el("span", { class: `key ${mark}` }, title))),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `${what}: ${now}` },
      svg("line", { x1: 0, x2: width, y1: height - 3, y2: height - 3, class: "base" }),
      series.map(([name, , mark]) => svg("path", { d: path(name), class: `course-line ${mark}` }))));
}

const micros = (time) => (typeof time === "number" ? new Date(time / 1000).toISOString() : time);

const recently = (time) => (secondsSince(time) < 3 ? "just now" : ago(time));

function cursors(list) {
  if (!list.length) return empty("No source has published anything yet.");
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ["source", "table", "rows", "readings", "last page"].map((name, at) =>
      el("th", { scope: "col", class: at > 1 ? "number" : null }, name)))),
    el("tbody", {}, list.map((one) => el("tr", {},
      el("th", { scope: "row" }, one.source),
      el("td", {}, el("span", { title: `${one.mode}: ${one.position}` }, one.table)),
      el("td", { class: "number" }, count(one.rows)),
      el("td", { class: "number" }, count(one.readings)),
      el("td", { class: "number", title: moment(micros(one.updated_at)) }, recently(micros(one.updated_at))))))));
}
