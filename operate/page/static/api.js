// Asking the API: JSON in, JSON out, errors with the words of the answer.

const TOKEN = "aos-token";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** The part of the API that was asked is not there. */
  get isAbsent() { return this.status === 404 || this.status === 405; }
}

export const get = (path, signal) => ask("GET", path, undefined, signal);

export async function ask(method, path, body, signal, anyway = false) {
  const headers = { Accept: "application/json", "X-Operator": "page" };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The API does not answer. Is it running?");
  }
  if (response.status === 401 && entered(token)) return ask(method, path, body, signal, anyway);
  const text = await response.text();
  const told = parsed(text);
  if (!response.ok && !(told && anyway)) throw new ApiError(response.status, told?.message ?? `${response.status} ${response.statusText}`);
  return told;
}

function parsed(text) {
  try { return text ? JSON.parse(text) : null; } catch { return null; }
}

/** Let a person enter the token, unless another request has got one meanwhile. */
function entered(refused) {
  if (sessionStorage.getItem(TOKEN) !== refused) return true;
  const given = window.prompt("This API asks for its token (setting api.token):");
  if (!given) return false;
  sessionStorage.setItem(TOKEN, given.trim());
  return true;
}

export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/** Fetch a document, and have the browser save it under a name. */
export async function saved(path, name) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${sessionStorage.getItem(TOKEN)}` } });
  if (!response.ok) throw new ApiError(response.status, `${response.status} ${response.statusText}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Give an answer, or null where the API has no such part. */
export async function maybe(path, signal) {
  try {
    return await get(path, signal);
  } catch (error) {
    if (error instanceof ApiError && error.isAbsent) return null;
    throw error;
  }
}

/** Give what was answered, though it be that something is not well; null where there is no such part. */
export async function whatever(path, signal) {
  const told = await ask("GET", path, undefined, signal, true);
  return told?.error_code ? null : told;
}

/** Do something now and every so many seconds until the signal; not while nobody looks. */
export function every(seconds, work, signal, troubled = () => {}) {
  let timer;
  const turn = async () => {
    try {
      if (!document.hidden) await work();
    } catch (error) {
      if (error.name !== "AbortError" && !signal.aborted) troubled(error);
    }
    if (!signal.aborted) timer = setTimeout(turn, seconds * 1000);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return turn();
}

export const query = (given) => {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") asked.append(name, one);
    }
  }
  const text = asked.toString();
  return text ? `?${text}` : "";
};
