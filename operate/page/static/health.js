export const headline = (told) => (told ? { state: told.status === "up" ? "good" : "bad", text: told.headline ?? told.message ?? "" } : { state: "unknown", text: "health unknown" });
export async function open() {}
