// The keyboard.

import { $, remember, remembered } from "./base.js";
import { act, go, inGrid, nextOpen } from "./actions.js";
import { openFilters } from "./filters.js";
import { down, move, showGrid, toggle } from "./grid.js";
import { togglePixels } from "./single.js";
import { selection, state } from "./state.js";

const DECISIONS = { k: "keep", a: "accept", c: "choose", m: "ambiguous", s: "skip", u: "undo", v: "screen" };

export function listen({ toggleView, openLarge, openHelp }) {
  $("keysOn").checked = remembered("noiseaudit-keys") !== "off";
  $("keysOn").addEventListener("change", () => remember("noiseaudit-keys", $("keysOn").checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const field = event.target.closest("input, select, textarea");
    if (field && !field.closest("dialog")) { // one of a closed dialog keeps the focus for a moment
      if (event.key === "Escape") field.blur();
      return;
    }
    if (handle(event, { toggleView, openLarge, openHelp })) event.preventDefault();
  });
}

// A key that is held down moves on, but decides once.
function handle(event, { toggleView, openLarge, openHelp }) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && key === "z" && !event.shiftKey) return once(event, "undo");
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const onControl = event.target.closest("button, summary, a");
  if (onControl && (key === "Enter" || key === " ")) return event.repeat && onControl.matches("[data-do]");
  if (moves(key, event.shiftKey)) return true;
  if (key === "Enter") return once(event, "accept");
  if (!$("keysOn").checked) return false;
  if (key in DECISIONS && (key !== "v" || inGrid())) return once(event, DECISIONS[key]);
  const others = { j: nextOpen, g: toggleView, f: openFilters, "?": openHelp, o: () => inGrid() && openLarge() };
  others.p = () => !inGrid() && togglePixels();
  if (!(key in others)) return false;
  others[key]();
  return true;
}

function once(event, name) {
  if (!event.repeat) act(name);
  return true;
}

function moves(key, select) {
  if (!inGrid()) {
    if (key === "ArrowRight") return (go(1), true);
    if (key === "ArrowLeft") return (go(-1), true);
    return false;
  }
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: down(), ArrowUp: -down(), PageDown: 4 * down(), PageUp: -4 * down() };
  steps.Home = -state.total;
  steps.End = state.total;
  if (key in steps) return (move(steps[key], select && key !== "Home" && key !== "End"), true);
  if (key === " ") return (toggle(state.index), true);
  if (key === "Escape") return (selection.clear(), showGrid(), true);
  return false;
}
