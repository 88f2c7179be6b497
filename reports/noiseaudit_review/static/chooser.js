// The list of classes to choose from: type to filter.

import { $, make, number } from "./base.js";
import { state } from "./state.js";

const MOST_SHOWN = 100;
let found = []; // class numbers
let at = 0;
let take = () => {};

export function choose(first, then) {
  take = then;
  $("chooserText").value = "";
  fill(first);
  $("chooser").showModal();
  $("chooserText").focus();
}

function fill(first = []) {
  const typed = $("chooserText").value.trim().toLowerCase();
  const { classes } = state.audit;
  const all = [...new Set([...first, ...classes.keys()])];
  const rank = (code) => (classes[code].toLowerCase().startsWith(typed) ? 0 : 1);
  found = all.filter((code) => classes[code].toLowerCase().includes(typed));
  if (typed) found.sort((a, b) => rank(a) - rank(b));
  at = 0;
  $("chooserList").replaceChildren(
    ...found.slice(0, MOST_SHOWN).map((code, place) => {
      const item = make("li");
      item.id = `class-${place}`;
      item.setAttribute("role", "option");
      item.append(make("span", "", classes[code]), make("span", "quiet", number(state.audit.class_counts[code])));
      item.addEventListener("click", () => finish(place));
      return item;
    }),
  );
  mark();
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
  else if (event.key !== "Enter") return;
  event.preventDefault();
  if (event.key === "Enter") finish(at);
  else mark();
});
