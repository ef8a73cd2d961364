// A map without tiles: graticule, a coarse coast, the outline of the network, a mark for each station.

import { COASTS } from "./coast.js";
import { el, show, svg } from "./dom.js";
import { ago } from "./format.js";
import { STATES } from "./network.js";

const FEW = 60;
const LEAST_DEGREES = 0.05;
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30];
const COAST_FROM_DEGREES = 3;
const KM_PER_DEGREE = 111.195;

/** Gives {element, points(stations, fit)}; `onchoose` is told the id of a station. */
export function map({ signal, onchoose }) {
  const state = { stations: [], view: null, fitted: false, width: 1000, height: 420 };
  const picture = svg("svg", { class: "map", role: "group", tabindex: 0,
    "aria-label": "Map of the stations. Plus and minus zoom, the arrow keys move, 0 shows all.", onkeydown: keyed });
  const told = el("p", { class: "map-told small", "aria-hidden": "true" });
  const element = el("div", { class: "map-frame" }, picture,
    el("div", { class: "map-buttons" }, button("+", "Zoom in", () => zoom(0.5)), button("−", "Zoom out", () => zoom(2)), button("all", "Show all stations", fit)),
    told);
  let named = [];
  drag();
  const watch = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width < 1) return;
    [state.width, state.height] = [contentRect.width, contentRect.height];
    draw();
  });
  watch.observe(picture);
  signal.addEventListener("abort", () => watch.disconnect());

  function button(text, label, act) {
    return el("button", { type: "button", "aria-label": label, onclick: act }, text);
  }

  function points(stations, again) {
    state.stations = stations.filter((one) => one.latitude !== null);
    told.textContent = stations.length === state.stations.length ? "" : `${stations.length - state.stations.length} stations without coordinates`;
    if (!state.fitted || again) fit(); else draw();
  }

  /** The view: centre, and how many degrees of longitude are across. */
  function fit() {
    const some = state.stations;
    if (!some.length) return draw();
    const [west, east] = ends(some.map((one) => one.longitude));
    const [south, north] = ends(some.map((one) => one.latitude));
    const latitude = (south + north) / 2;
    const across = Math.max(LEAST_DEGREES, (east - west) * 1.25, ((north - south) * 1.3 * state.width) / state.height / squeezed(latitude));
    state.view = { longitude: (west + east) / 2, latitude, across: Math.min(360, across) };
    state.fitted = true;
    return draw();
  }

  function zoom(by) {
    if (!state.view) return;
    state.view.across = Math.min(360, Math.max(LEAST_DEGREES / 5, state.view.across * by));
    draw();
  }

  function move(x, y) {
    if (!state.view) return;
    const { view } = state;
    view.longitude = Math.max(-180, Math.min(180, view.longitude + x * view.across));
    view.latitude = Math.max(-85, Math.min(85, view.latitude + y * view.across * squeezed(view.latitude)));
    draw();
  }

  function keyed(event) {
    const act = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: fit,
      ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, 0.06), ArrowDown: () => move(0, -0.06) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function drag() {
    let from = null;
    picture.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; }, { signal });
    window.addEventListener("pointerup", () => { from = null; }, { signal });
    window.addEventListener("pointermove", (event) => {
      if (!from || event.buttons !== 1) return;
      const width = picture.getBoundingClientRect().width;
      move((from[0] - event.clientX) / width, (event.clientY - from[1]) / width);
      from = [event.clientX, event.clientY];
    }, { signal });
    picture.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8);
    }, { passive: false, signal });
  }

  function draw() {
    if (!state.view) return show(picture);
    const { width, height } = state;
    named = [];
    const place = projection(state.view, width, height);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return show(picture,
      svg("rect", { width, height, class: "sea" }),
      state.view.across > COAST_FROM_DEGREES ? COASTS.map((line) => svg("path", { d: path(line, place), class: "land" })) : null,
      graticule(state, place),
      outline(state.stations.map((one) => place(one.longitude, one.latitude))),
      [...state.stations].sort((a, b) => STATES[b.state].rank - STATES[a.state].rank).map((one) => mark(one, place)),
      state.stations.map((one) => name(one, place)),
      scale(state));
  }

  function mark(station, place) {
    const [x, y] = place(station.longitude, station.latitude);
    if (x < -20 || x > state.width + 20 || y < -20 || y > state.height + 20) return null;
    const bad = station.flag === 3 || station.flag === 4;
    const text = `${station.station_id}${station.name ? ` ${station.name}` : ""}: ${STATES[station.state].text}${station.newest ? `, heard ${ago(station.newest)}` : ""}${bad ? ", flagged" : ""}`;
    const few = state.stations.length <= FEW;
    return svg("a", { href: `#/stations/${encodeURIComponent(station.station_id)}`, class: `mark ${station.state} ${bad ? "bad" : ""}`, "aria-label": text, tabindex: few ? 0 : -1,
      onclick: (event) => { event.preventDefault(); onchoose(station.station_id); } },
      svg("title", {}, text),
      svg("circle", { cx: x, cy: y, r: few ? 6 : 4 }),
      bad ? svg("circle", { cx: x, cy: y, r: few ? 10 : 7, class: "ring" }) : null);
  }

  /** The id beside the mark, where there are few; above all marks. */
  function name(station, place) {
    const [x, y] = place(station.longitude, station.latitude);
    const shown = state.stations.length <= FEW && free(x, y, station.station_id);
    return shown ? svg("text", { x: x + 10, y: y + 4, class: "name", "aria-hidden": "true" }, station.station_id) : null;
  }

  /** Whether a name has room there; the first that comes has it. */
  function free(x, y, text) {
    const box = [x + 8, y - 8, x + 12 + text.length * 9, y + 8];
    const fits = named.every((one) => box[2] < one[0] || one[2] < box[0] || box[3] < one[1] || one[3] < box[1]);
    if (fits) named.push(box);
    return fits;
  }

  return { element, points };
}

const ends = (numbers) => [Math.min(...numbers), Math.max(...numbers)];
const squeezed = (latitude) => Math.max(0.2, Math.cos((latitude * Math.PI) / 180));

/** Equirectangular, true to scale at the middle of the view. */
function projection({ longitude, latitude, across }, width, height) {
  const perDegree = width / across;
  const tall = perDegree / squeezed(latitude);
  return (east, north) => [width / 2 + (east - longitude) * perDegree, height / 2 - (north - latitude) * tall];
}

const path = (line, place) => line.map(([east, north], at) => `${at ? "L" : "M"}${place(east, north).map((one) => one.toFixed(1)).join(" ")}`).join("");

function graticule({ view, width, height }, place) {
  const step = STEPS.find((one) => view.across / one <= Math.max(3, width / 110)) ?? 30;
  const tall = (view.across * height * squeezed(view.latitude)) / width;
  const lines = [];
  for (const east of multiples(view.longitude - view.across / 2, view.longitude + view.across / 2, step)) {
    const [x] = place(east, view.latitude);
    lines.push(svg("line", { x1: x, x2: x, y1: 0, y2: height, class: "graticule" }), svg("text", { x: x + 4, y: 14, class: "degree" }, degrees(east, "E", "W", step)));
  }
  for (const north of multiples(view.latitude - tall / 2, view.latitude + tall / 2, step)) {
    const [, y] = place(view.longitude, north);
    lines.push(svg("line", { x1: 0, x2: width, y1: y, y2: y, class: "graticule" }), y < 30 ? null : svg("text", { x: 4, y: y - 4, class: "degree" }, degrees(north, "N", "S", step)));
  }
  return lines;
}

function* multiples(from, to, step) {
  for (let at = Math.ceil(from / step); at * step <= to; at += 1) yield at * step;
}

function degrees(number, plus, minus, step) {
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  return `${Math.abs(number).toFixed(digits)}°${number < 0 ? minus : plus}`;
}

/** The convex outline of the network. */
function outline(points) {
  if (points.length < 3) return null;
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (some) => some.reduce((hull, point) => {
    while (hull.length > 1 && turn(hull.at(-2), hull.at(-1), point) <= 0) hull.pop();
    return [...hull, point];
  }, []).slice(0, -1);
  const hull = [...half(sorted), ...half(sorted.reverse())];
  return svg("polygon", { points: hull.map((one) => one.map((n) => n.toFixed(1)).join(",")).join(" "), class: "outline" });
}

const turn = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

function scale({ view, width, height }) {
  const kilometres = view.across * KM_PER_DEGREE * squeezed(view.latitude);
  const round = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((one) => one <= kilometres / 5).at(-1) ?? 1;
  const length = (width * round) / kilometres;
  const [x, y] = [width - length - 16, height - 16];
  return svg("g", { class: "scale", "aria-hidden": "true" },
    svg("path", { d: `M${x} ${y - 5}V${y}H${x + length}V${y - 5}` }),
    svg("text", { x: x + length / 2, y: y - 7, "text-anchor": "middle" }, `${round} km`));
}
