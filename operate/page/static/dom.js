// Making elements: el("td", {class: "number"}, "7"). Text is text, never markup.

const SVG = "http://www.w3.org/2000/svg";

export const el = (name, attributes = {}, ...children) =>
  filled(document.createElement(name), attributes, children);

export const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, name), attributes, children);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/** Put new content into an element, and leave the focus on what has the same data-key. */
export function show(element, ...children) {
  const key = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...children.flat(Infinity).filter((one) => one || one === 0));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

export const card = (title, ...children) => el("section", { class: "card" }, el("h2", {}, title), ...children);

export const head = (title, ...beside) => el("div", { class: "head" }, el("h1", {}, title), ...beside);

export const empty = (...told) => el("p", { class: "empty" }, ...told);

export const tag = (text, { flag, state, title } = {}) =>
  el("span", { class: "tag", "data-flag": flag, "data-state": state, title }, text);

export function option(value, text, chosen) {
  return el("option", { value, selected: value === chosen }, text);
}

export const labelled = (text, control) => el("label", {}, el("span", {}, text), control);

let hiding;
/** Tell of something that was done, or was not, for some seconds; nothing takes it away. */
export function notice(text) {
  const place = document.getElementById("notice");
  place.textContent = text;
  place.hidden = !text;
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.hidden = true; }, 7000);
}
