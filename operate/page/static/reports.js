// Reports: what was written for people, to be read or fetched.

import { maybe } from "./api.js";
import { card, el, empty, head, show } from "./dom.js";
import { ago, counted, moment } from "./format.js";
import { table } from "./table.js";

const PATH = "/api/v1/reports";

export async function open(main, { signal }) {
  const found = await maybe(PATH, signal);
  if (found === null) {
    show(main, head("Reports"), empty("This API has no part for reports. ", el("code", {}, "aos report"), " writes them."));
    return;
  }
  const rows = Array.isArray(found) ? found : (found.reports ?? []);
  const list = table({ caption: "Reports", key: nameOf, sort: "written", descending: true, none: "No report was written yet: aos report writes one.", columns: COLUMNS });
  show(main, head("Reports", el("p", { class: "muted" }, counted(rows.length, "report"))), card("Written", list.element));
  list.rows(rows);
}

const nameOf = (one) => one.name ?? one.report ?? `${one.id ?? ""}`;
const writtenAt = (one) => one.written_at ?? one.created_at ?? one.at;

const COLUMNS = [
  { name: "report", by: nameOf, of: (one) => el("a", { href: `${PATH}/${encodeURIComponent(nameOf(one))}`, target: "_blank", rel: "noopener" }, one.title ?? nameOf(one)) },
  { name: "of", by: (one) => one.day ?? one.from, of: (one) => one.day ?? [one.from, one.to].filter(Boolean).join(" to ") },
  { name: "written", by: writtenAt, worstFirst: true, of: (one) => (writtenAt(one) ? el("span", { title: moment(writtenAt(one)) }, ago(writtenAt(one))) : "–") },
  { name: "says", text: true, of: (one) => one.headline ?? one.summary ?? "" },
];
