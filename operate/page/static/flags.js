// QARTOD's flags: number, name, colour, and a shape for those who do not go by colour.

export const FLAGS = [
  { number: 1, name: "good", counted: "good", colour: "--good", sign: "●" },
  { number: 2, name: "not judged", counted: "not_evaluated", colour: "--unjudged", sign: "◇" },
  { number: 3, name: "suspect", counted: "suspect", colour: "--suspect", sign: "▲" },
  { number: 4, name: "fail", counted: "failed", colour: "--fail", sign: "✕" },
  { number: 9, name: "missing", counted: "missing", colour: "--missing", sign: "▁" },
];

export const flagOf = (number) => FLAGS.find((one) => one.number === number) ?? FLAGS[1];

/** How bad a flag is, for sorting: the flag of a set is its worst. */
export const WORSE = { 1: 0, 2: 1, 9: 2, 3: 3, 4: 4 };

export const worst = (numbers) => numbers.reduce((a, b) => (WORSE[b] > WORSE[a] ? b : a), 1);

/** A colour of the style sheet as it is now, light or dark, for what is drawn on a canvas. */
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
