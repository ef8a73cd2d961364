// A plot of one measure over time: raw beneath clean, flags by colour and shape, zoom and pan by
// pointer and by keyboard. On a canvas, since ten thousand readings are as many marks.

import { el } from "./dom.js";
import { colour, flagOf } from "./flags.js";
import { measured, moment, unit, value } from "./format.js";
import { heights, nearest, shortened, ticks, tickText, timeStep } from "./scales.js";

const HEIGHT = 340;
const EDGE = { left: 58, right: 16, top: 14, bottom: 30 };
const LEAST_MS = 10 * 60e3;
const FEW = 400;

/** Gives {element, data(series)}; `onspan` is told when another span is wanted: (from, to) in ms. */
export function plot({ signal, onspan, label }) {
  const canvas = el("canvas", { tabindex: 0, role: "img", class: "plot", "aria-describedby": "plot-help" });
  const said = el("p", { class: "plot-said small", "aria-live": "polite" });
  const element = el("div", { class: "plot-frame" }, canvas, said,
    el("p", { id: "plot-help", class: "muted small" }, "Drag to zoom, Shift and drag to move. Keys: ← → a point, n p the next flag, + − zoom, Shift ← → move, 0 all."));
  const pen = canvas.getContext("2d");
  let series = null;
  let view = null;
  let cursor = null;
  let drag = null;
  let size = { width: 600, height: HEIGHT };

  new ResizeObserver(([{ contentRect }]) => resized(contentRect.width)).observe(element);
  window.addEventListener("aos-theme", draw, { signal });
  canvas.addEventListener("pointerdown", pressed, { signal });
  canvas.addEventListener("pointermove", moved, { signal });
  canvas.addEventListener("pointerup", released, { signal });
  canvas.addEventListener("pointercancel", () => { drag = null; draw(); }, { signal });
  canvas.addEventListener("pointerleave", () => { if (!drag) { cursor = null; draw(); } }, { signal });
  canvas.addEventListener("dblclick", () => onspan(null, null), { signal });
  canvas.addEventListener("keydown", keyed, { signal });

  function resized(width) {
    if (width < 1) return;
    const ratio = window.devicePixelRatio || 1;
    size = { width, height: HEIGHT };
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    canvas.style.height = `${HEIGHT}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw();
  }

  function data(found) {
    series = found;
    view = { from: found.from, to: found.to, ...heights(found) };
    cursor = null;
    canvas.setAttribute("aria-label", `${label()}: ${found.time.length} points from ${moment(found.from)} to ${moment(found.to)}`);
    draw();
  }

  const x = (time) => EDGE.left + ((time - view.from) / (view.to - view.from)) * (size.width - EDGE.left - EDGE.right);
  const y = (number) => size.height - EDGE.bottom - ((number - view.least) / (view.greatest - view.least)) * (size.height - EDGE.top - EDGE.bottom);
  const timeAt = (px) => view.from + ((px - EDGE.left) / (size.width - EDGE.left - EDGE.right)) * (view.to - view.from);

  function wanted(from, to) {
    const length = Math.max(LEAST_MS, to - from);
    onspan(Math.round(from), Math.round(from + length));
  }

  function zoom(by) {
    const middle = cursor === null ? (view.from + view.to) / 2 : series.time[cursor];
    const half = ((view.to - view.from) * by) / 2;
    wanted(middle - half, middle + half);
  }

  function pan(by) {
    const step = (view.to - view.from) * by;
    wanted(view.from + step, view.to + step);
  }

  function keyed(event) {
    if (!series || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const act = step
      ? () => (event.shiftKey ? pan(step * 0.5) : go((cursor ?? (step > 0 ? -1 : series.time.length)) + step))
      : { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => onspan(null, null),
        Home: () => go(0), End: () => go(series.time.length - 1), n: () => go(flagged(1)), p: () => go(flagged(-1)) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function flagged(step) {
    let at = cursor ?? (step > 0 ? -1 : series.time.length);
    do at += step; while (at >= 0 && at < series.time.length && series.flag[at] === 1);
    return at;
  }

  function go(at) {
    if (at < 0 || at >= series.time.length) return;
    cursor = at;
    draw();
  }

  function pressed(event) {
    if (!series || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { from: event.offsetX, to: event.offsetX, moves: event.shiftKey };
  }

  function moved(event) {
    if (!series?.time.length) return;
    if (drag) drag.to = event.offsetX;
    else cursor = nearest(series.time, timeAt(event.offsetX));
    draw();
  }

  function released() {
    if (!drag) return;
    const [from, to, moves] = [drag.from, drag.to, drag.moves];
    drag = null;
    if (Math.abs(to - from) < 6) draw();
    else if (moves) pan((from - to) / (size.width - EDGE.left - EDGE.right));
    else wanted(timeAt(Math.min(from, to)), timeAt(Math.max(from, to)));
  }

  function draw() {
    if (!series || !view) return;
    const ink = Object.fromEntries(["ink", "muted", "line", "accent", "raw", "accent-soft", "sheet"].map((name) => [name, colour(`--${name}`)]));
    pen.clearRect(0, 0, size.width, size.height);
    pen.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    axes(ink);
    pen.save();
    pen.beginPath();
    pen.rect(EDGE.left, EDGE.top - 8, size.width - EDGE.left - EDGE.right, size.height - EDGE.top - EDGE.bottom + 16);
    pen.clip();
    if (series.least) band(ink);
    if (series.raw) line(series.raw, ink.raw, 1.2, true);
    line(series.value, ink.accent, 1.8, false);
    marks();
    pen.restore();
    if (drag) dragged(ink);
    if (cursor !== null) crosshair(ink);
    said.textContent = cursor === null ? "" : words(cursor);
  }

  function axes(ink) {
    pen.strokeStyle = ink.line;
    pen.fillStyle = ink.muted;
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const number of ticks(view.least, view.greatest)) {
      const at = Math.round(y(number)) + 0.5;
      stroke([[EDGE.left, at], [size.width - EDGE.right, at]]);
      pen.fillText(shortened(number), EDGE.left - 8, at);
    }
    pen.textAlign = "left";
    pen.fillText(unit(series.unit), 4, EDGE.top - 6 + 0.5);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const step = timeStep((view.to - view.from) / (size.width / 95));
    for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
      const at = Math.round(x(time)) + 0.5;
      stroke([[at, EDGE.top], [at, size.height - EDGE.bottom]]);
      pen.fillText(tickText(time, step), at, size.height - EDGE.bottom + 8);
    }
  }

  function stroke(points) {
    pen.beginPath();
    points.forEach(([px, py], at) => (at ? pen.lineTo(px, py) : pen.moveTo(px, py)));
    pen.stroke();
  }

  /** A line that breaks where a value is missing, or where readings are further apart than usual. */
  function line(numbers, style, width, dashed) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.setLineDash(dashed ? [2, 3] : []);
    pen.beginPath();
    let before = null;
    numbers.forEach((number, at) => {
      if (number === null) { before = null; return; }
      const time = series.time[at];
      const joined = before !== null && time - before <= series.apart;
      if (joined) pen.lineTo(x(time), y(number)); else pen.moveTo(x(time), y(number));
      before = time;
    });
    pen.stroke();
    pen.setLineDash([]);
    if (numbers.length <= FEW && !dashed) dots(numbers, style);
  }

  function dots(numbers, style) {
    pen.fillStyle = style;
    numbers.forEach((number, at) => {
      if (number === null) return;
      pen.beginPath();
      pen.arc(x(series.time[at]), y(number), 2.2, 0, 7);
      pen.fill();
    });
  }

  function band(ink) {
    pen.fillStyle = ink["accent-soft"];
    pen.beginPath();
    const there = series.time.map((_, at) => at).filter((at) => series.least[at] !== null);
    there.forEach((at, index) => (index ? pen.lineTo : pen.moveTo).call(pen, x(series.time[at]), y(series.greatest[at])));
    there.reverse().forEach((at) => pen.lineTo(x(series.time[at]), y(series.least[at])));
    pen.fill();
  }

  /** What is not good: a shape in the colour of its flag; beyond the scale, at its edge. */
  function marks() {
    series.time.forEach((time, at) => {
      if (series.flag[at] === 1) return;
      const flag = flagOf(series.flag[at]);
      const number = series.raw?.[at] ?? series.value[at];
      pen.fillStyle = pen.strokeStyle = colours()[flag.number];
      const px = x(time);
      if (number === null || flag.number === 9) return void pen.fillRect(px - 1, size.height - EDGE.bottom - 7, 2, 7);
      shape(flag.number, px, Math.min(size.height - EDGE.bottom - 4, Math.max(EDGE.top + 2, y(number))));
    });
  }

  function shape(number, px, py) {
    pen.lineWidth = 2;
    if (number === 4) {
      stroke([[px - 4, py - 4], [px + 4, py + 4]]);
      stroke([[px - 4, py + 4], [px + 4, py - 4]]);
    } else if (number === 3) {
      pen.beginPath();
      pen.moveTo(px, py - 5); pen.lineTo(px + 5, py + 4); pen.lineTo(px - 5, py + 4);
      pen.fill();
    } else if (series.time.length <= FEW) {
      pen.lineWidth = 1.5;
      pen.strokeRect(px - 3, py - 3, 6, 6);
    }
  }

  function dragged(ink) {
    if (drag.moves) return;
    pen.fillStyle = ink.accent;
    pen.globalAlpha = 0.15;
    pen.fillRect(Math.min(drag.from, drag.to), EDGE.top, Math.abs(drag.to - drag.from), size.height - EDGE.top - EDGE.bottom);
    pen.globalAlpha = 1;
  }

  function crosshair(ink) {
    pen.strokeStyle = ink.muted;
    pen.lineWidth = 1;
    const px = Math.round(x(series.time[cursor])) + 0.5;
    stroke([[px, EDGE.top], [px, size.height - EDGE.bottom]]);
    const number = series.value[cursor] ?? series.raw?.[cursor];
    if (number === null || number === undefined) return;
    pen.strokeStyle = ink.ink;
    pen.beginPath();
    pen.arc(px, Math.max(EDGE.top, Math.min(size.height - EDGE.bottom, y(number))), 5, 0, 7);
    pen.stroke();
  }

  function words(at) {
    const parts = [moment(series.time[at]), series.raw ? `clean ${measured(series.value[at], series.unit)}` : `mean ${measured(series.value[at], series.unit)}`];
    if (series.raw) parts.push(`raw ${measured(series.raw[at], series.unit)}`);
    if (series.least?.[at] !== undefined && series.least?.[at] !== null) parts.push(`${value(series.least[at], series.unit)} to ${measured(series.greatest[at], series.unit)}`);
    parts.push(flagOf(series.flag[at]).name + (series.reason?.[at] ? ` (${series.reason[at].replaceAll(",", ", ")})` : ""));
    return parts.join(" · ");
  }

  let painted = null;
  function colours() {
    const scheme = getComputedStyle(document.documentElement).colorScheme + matchMedia("(prefers-color-scheme: dark)").matches;
    if (painted?.scheme !== scheme) painted = { scheme, ...Object.fromEntries([2, 3, 4, 9].map((number) => [number, colour(flagOf(number).colour)])) };
    return painted;
  }

  return { element, data, focus: () => canvas.focus(), zoom: (by) => series && zoom(by), pan: (by) => series && pan(by) };
}
