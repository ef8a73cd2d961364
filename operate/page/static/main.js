// Which view is shown, by the part of the address behind "#/", and what stands above all of them.

import { ApiError, every, whatever } from "./api.js";
import { el, empty, head, show } from "./dom.js";
import { headline } from "./health.js";

const VIEWS = {
  flow: ["Flow", () => import("./flow.js")],
  stations: ["Stations", () => import("./stations.js")],
  quality: ["Quality", () => import("./quality.js")],
  letters: ["Dead letters", () => import("./letters.js")],
  replays: ["Replays", () => import("./replays.js")],
  jobs: ["Jobs", () => import("./jobs.js")],
  reports: ["Reports", () => import("./reports.js")],
  health: ["Health", () => import("./health.js")],
};
const THEMES = ["light dark", "light", "dark"];
const NAMES = { "light dark": "auto", light: "light", dark: "dark" };

let leaving = new AbortController();

/** #/stations/JFK?measure=… → {name, rest, given} */
function address() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name: VIEWS[name] ? name : "flow", rest, given: new URLSearchParams(query) };
}

async function open({ focus = true } = {}) {
  const { name, rest, given } = address();
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [title, load] = VIEWS[name];
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${title} · aos-stream`;
  const main = document.getElementById("main");
  try {
    const view = await load();
    if (signal.aborted) return;
    await view.open(main, { signal, rest, given });
    if (focus && !signal.aborted) main.focus({ preventScroll: true });
    if (focus) window.scrollTo(0, 0);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    const told = error instanceof ApiError ? error.message : `${error}`;
    show(main, head(title), el("div", { class: "card trouble" }, empty(told)));
    if (!(error instanceof ApiError)) throw error;
  }
}

function theme() {
  const kept = localStorage.getItem("aos-theme");
  return THEMES.includes(kept) ? kept : THEMES[0];
}

function dress(name) {
  document.documentElement.style.colorScheme = name;
  const button = document.getElementById("theme");
  button.textContent = `Theme: ${NAMES[name]}`;
  window.dispatchEvent(new Event("aos-theme"));
}

function tick() {
  const now = new Date().toISOString();
  const clock = document.getElementById("clock");
  clock.textContent = `${now.slice(0, 10)} ${now.slice(11, 19)} UTC`;
  clock.dateTime = now;
}

function begin() {
  show(document.getElementById("nav"), Object.entries(VIEWS).map(([name, [title]]) =>
    el("li", {}, el("a", { href: `#/${name}`, "data-view": name }, title))));
  dress(theme());
  document.getElementById("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    localStorage.setItem("aos-theme", next);
    dress(next);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();  // the part behind # is the view's
    document.getElementById("main").focus();
  });
  tick();
  setInterval(tick, 1000);
  every(10, pill, new AbortController().signal, (error) => tell("bad", error.message));
  window.addEventListener("hashchange", () => open());
  open({ focus: false });
}

async function pill() {
  const { state, text } = headline(await whatever("/health"));
  tell(state, text);
}

function tell(state, text) {
  const place = document.getElementById("pill");
  place.dataset.state = state;
  document.getElementById("pill-text").textContent = text;
  place.title = text;
}

begin();
