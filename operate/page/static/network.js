// All stations as the API gives them, page after page, and how fresh each of them is.

import { get, query } from "./api.js";
import { worst } from "./flags.js";
import { secondsSince } from "./format.js";

const PAGE = 200;
const SILENT = 8;
export const SOON_DAYS = 30;

export const STATES = {
  fresh: { state: "good", text: "fresh", rank: 0 },
  late: { state: "warn", text: "late", rank: 1 },
  silent: { state: "off", text: "silent", rank: 2 },
  unknown: { state: "off", text: "no reading", rank: 3 },
};

/** Give every station; `seen` is called with what there is after each page. */
export async function network(signal, seen = () => {}) {
  const all = [];
  let after = "";
  do {
    const page = await get(`/api/v1/stations${query({ after, limit: PAGE })}`, signal);
    all.push(...page.stations.map(told));
    after = page.next;
    seen(all);
  } while (after);
  return all;
}

/** Add to a station what follows from its sensors. */
function told(station) {
  const heard = station.sensors.filter((one) => one.observed_at);
  const newest = heard.map((one) => one.observed_at).sort().at(-1) ?? null;
  const due = station.sensors.map((one) => one.calibration_due).filter(Boolean).sort()[0] ?? null;
  const states = station.sensors.map(stateOf);
  return {
    ...station,
    newest,
    due,
    state: states.length ? states.reduce((a, b) => (STATES[b].rank > STATES[a].rank ? b : a)) : "unknown",
    flag: heard.length ? worst(heard.map((one) => one.flag)) : null,
  };
}

/** Late when the API says so, by the sensor's own rhythm; silent after eight times as long. */
export function stateOf(sensor) {
  const age = secondsSince(sensor.observed_at);
  if (age === null) return "unknown";
  if (age <= sensor.late_after_seconds) return "fresh";
  return age <= SILENT * sensor.late_after_seconds ? "late" : "silent";
}

export const dueSoon = (due) => due && new Date(due) - Date.now() < SOON_DAYS * 86400e3;
