// The list of classes to choose from: type to filter.

import { $, make, number } from "./base.js";
import { state } from "./state.js";

const MOST_SHOWN = 100;
let first = []; // class numbers, most probable first
let found = []; // class numbers
let at = 0;
let take = () => {};

export function choose(likely, then) {
  [first, take] = [likely, then];
  $("chooserText").value = "";
  $("chooserDigits").hidden = !digitsChoose();
  fill();
  $("chooser").showModal();
  $("chooserText").focus();
}

// A digit chooses, but not where it may be the beginning of a name.
const digitsChoose = () => $("keysOn").checked && !state.audit.classes.some((name) => /\d/.test(name));

function fill() {
  const typed = $("chooserText").value.trim().toLowerCase();
  const { classes } = state.audit;
  const all = [...new Set([...first, ...classes.keys()])];
  const rank = (code) => (classes[code].toLowerCase().startsWith(typed) ? 0 : 1);
  found = all.filter((code) => classes[code].toLowerCase().includes(typed));
  if (typed) found.sort((a, b) => rank(a) - rank(b));
  at = 0;
  const numbered = digitsChoose() ? 9 : 0;
  $("chooserList").replaceChildren(...found.slice(0, MOST_SHOWN).map((code, place) => option(code, place, place < numbered)));
  mark();
}

function option(code, place, hasDigit) {
  const n = state.audit.class_counts[code];
  const item = make("li");
  item.id = `class-${place}`;
  item.setAttribute("role", "option");
  if (hasDigit) {
    item.setAttribute("aria-keyshortcuts", place + 1);
    const digit = make("kbd", "", String(place + 1));
    digit.setAttribute("aria-hidden", "true"); // it is the shortcut, and no part of the name
    item.append(digit);
  }
  item.append(make("span", "", state.audit.classes[code]), make("span", "quiet", `${number(n)} ${n === 1 ? "row" : "rows"}`));
  item.addEventListener("click", () => finish(place));
  return item;
}

function mark() {
  for (const [place, item] of [...$("chooserList").children].entries())
    item.setAttribute("aria-selected", String(place === at));
  const here = $("chooserList").children[at];
  here?.scrollIntoView({ block: "nearest" });
  if (here) $("chooserText").setAttribute("aria-activedescendant", here.id);
  else $("chooserText").removeAttribute("aria-activedescendant");
}

function finish(place) {
  const code = found[place];
  if (code === undefined) return;
  $("chooser").close();
  take(code);
}

$("chooserText").addEventListener("input", () => fill());
$("chooserText").addEventListener("keydown", (event) => {
  const shown = Math.min(found.length, MOST_SHOWN);
  if (event.key === "ArrowDown") at = Math.min(at + 1, shown - 1);
  else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
  else if (event.key !== "Enter") return digit(event);
  event.preventDefault();
  if (event.key === "Enter") finish(at);
  else mark();
});

function digit(event) {
  if (!/^[1-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey || !digitsChoose()) return;
  event.preventDefault();
  if (!event.repeat) finish(Number(event.key) - 1);
}
