// A table of many rows: filtered and sorted here, drawn a page at a time.

import { el, show } from "./dom.js";
import { count } from "./format.js";

const PAGE = 50;

/**
 * Columns are {name, of: row => node or text, by: row => what to sort by, number, text: bool}.
 * Gives {element, rows(list)}; a sort by null comes last in both directions.
 */
export function table({ columns, caption, key, sort, descending = false, page = PAGE, none = "nothing" }) {
  const state = { rows: [], sort, descending, at: 0 };
  const body = el("tbody");
  const headings = columns.map((column) => heading(column));
  const pager = el("div", { class: "pager" });
  const element = el("div", {},
    el("div", { class: "scroll" },
      el("table", {},
        el("caption", { class: "hidden" }, caption),
        el("thead", {}, el("tr", {}, headings)), body)),
    pager);

  function heading(column) {
    const text = column.by
      ? el("button", { type: "button", onclick: () => turn(column) }, column.name)
      : column.name;
    return el("th", { scope: "col", class: column.number ? "number" : null }, text);
  }

  function turn(column) {
    state.descending = state.sort === column.name ? !state.descending : Boolean(column.worstFirst);
    state.sort = column.name;
    state.at = 0;
    draw();
  }

  function sorted() {
    const column = columns.find((one) => one.name === state.sort);
    if (!column?.by) return state.rows;
    const sign = state.descending ? -1 : 1;
    return [...state.rows].sort((a, b) => compared(column.by(a), column.by(b), sign));
  }

  function draw() {
    const rows = sorted();
    state.at = Math.min(state.at, Math.max(0, Math.ceil(rows.length / page) - 1));
    const shown = rows.slice(state.at * page, (state.at + 1) * page);
    columns.forEach((column, at) => {
      const way = state.descending ? "descending" : "ascending";
      if (column.by) headings[at].setAttribute("aria-sort", column.name === state.sort ? way : "none");
    });
    show(body, shown.length ? shown.map(line) : el("tr", {}, el("td", { colspan: columns.length, class: "empty" }, none)));
    drawPager(rows.length);
  }

  function line(row) {
    return el("tr", { "data-row": key?.(row) }, columns.map((column, at) =>
      el(at ? "td" : "th", { scope: at ? null : "row", class: column.number ? "number" : column.text ? "text" : null }, column.of(row))));
  }

  function drawPager(total) {
    const pages = Math.ceil(total / page);
    pager.hidden = pages < 2;
    const go = (by) => () => { state.at += by; draw(); };
    show(pager,
      el("button", { type: "button", disabled: state.at === 0, "data-key": "before", onclick: go(-1) }, "Previous"),
      el("span", { "aria-live": "polite" }, `${count(state.at * page + 1)} to ${count(Math.min(total, (state.at + 1) * page))} of ${count(total)}`),
      el("button", { type: "button", disabled: state.at >= pages - 1, "data-key": "after", onclick: go(1) }, "Next"));
  }

  return {
    element,
    rows(list, { again = false } = {}) {
      state.rows = list;
      if (again) state.at = 0;
      draw();
    },
  };
}

function compared(a, b, sign) {
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return noA - noB;
  if (a === b) return 0;
  return (a < b ? -1 : 1) * sign;
}
