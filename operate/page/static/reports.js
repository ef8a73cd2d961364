// Reports: what was written for people, to be read or fetched.

import { hasToken, maybe, saved } from "./api.js";
import { card, el, empty, head, notice, show } from "./dom.js";
import { ago, count, counted, moment, value } from "./format.js";
import { table } from "./table.js";

const PATH = "/api/v1/reports";

export async function open(main, { signal }) {
  const found = await maybe(PATH, signal);
  if (found === null) {
    show(main, head("Reports"), empty("This API has no part for reports. ", el("code", {}, "aos report"), " writes them."));
    return;
  }
  const rows = found;
  const list = table({ caption: "Reports", key: (one) => one.id, sort: "report", descending: true, none: "No report was written yet: aos report writes one.", columns: COLUMNS });
  show(main, head("Reports", el("p", { class: "muted" }, counted(rows.length, "report"))), card("Written", list.element));
  list.rows(rows);
}

const nameOf = (one) => `${one.from} to ${one.until ?? one.to}`;
const pageOf = (one) => `${PATH}/${encodeURIComponent(one.id)}/page`;

/** A link; where a token is asked for, which links do not show, the page is fetched and saved. */
function opened(one) {
  if (!hasToken()) return el("a", { href: pageOf(one), target: "_blank", rel: "noopener" }, nameOf(one));
  return el("button", { type: "button", onclick: () => saved(pageOf(one), `report-${one.id}.html`).catch((error) => notice(error.message)) }, `Save ${nameOf(one)}`);
}

const COLUMNS = [
  { name: "report", by: (one) => one.until ?? one.to, worstFirst: true, of: opened },
  { name: "written", by: (one) => one.made_at, worstFirst: true, of: (one) => el("span", { title: moment(one.made_at) }, ago(one.made_at)) },
  { name: "score", number: true, by: (one) => one.score, of: (one) => (one.score === null ? "–" : value(one.score)) },
  { name: "wants attention", number: true, by: (one) => one.attention, worstFirst: true, of: (one) => count(one.attention) },
];
