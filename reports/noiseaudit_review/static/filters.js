// Which rows are shown.

import { $, make, number } from "./base.js";
import { className, state } from "./state.js";

const form = $("filterForm");
const CODES = ["given", "suggested", "issue_kind", "split", "annotator"];

function option(select, value, text) {
  const made = make("option", "", text);
  made.value = value;
  select.append(made);
}

export function fillFilters(onChange) {
  const { classes, pairs, choices } = state.audit;
  for (const { given, suggested, count } of pairs)
    option(form.elements.pair, `${given},${suggested}`, `${className(given)} → ${className(suggested)} (${number(count)})`);
  for (const name of ["given", "suggested"])
    classes.forEach((label, code) => option(form.elements[name], code, label));
  for (const [name, found] of Object.entries(choices)) {
    const label = form.querySelector(`[data-column="${name}"]`);
    label.hidden = found.length === 0;
    for (const choice of found) option(form.elements[name], choice.code, `${choice.name} (${number(choice.count)})`);
  }
  form.addEventListener("change", (event) => {
    const { name } = event.target;
    if (name === "pair") {
      const [given = "", suggested = ""] = event.target.value.split(",");
      form.elements.given.value = given;
      form.elements.suggested.value = suggested;
    } else if (name === "given" || name === "suggested") form.elements.pair.value = "";
    read();
    onChange();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => (read(), onChange())));
  $("clearFilters").addEventListener("click", () => form.reset());
  read();
}

function read() {
  const filter = { everything: form.elements.everything.value === "1", state: form.elements.state.value };
  for (const name of CODES) if (form.elements[name].value !== "") filter[name] = Number(form.elements[name].value);
  state.filter = filter;
}

export function noteFilters() {
  const used = [...form.elements].filter((field) => field.tagName === "SELECT" && field.name !== "pair" && field.selectedIndex > 0);
  const words = used.filter(({ name }) => name !== "given" && name !== "suggested").map((field) => field.selectedOptions[0].textContent);
  words.unshift(...classWords(state.filter));
  $("filterNote").textContent = `${words.length ? `${words.join(", ")}: ` : ""}${number(state.total)} rows${state.audit.blind ? ", drawn to be checked: what the audit thinks of them is not shown" : ""}`;
}

function classWords({ given, suggested }) {
  if (given === undefined && suggested === undefined) return [];
  if (suggested === undefined) return [`given ${className(given)}`];
  if (given === undefined) return [`suggested ${className(suggested)}`];
  return [`${className(given)} → ${className(suggested)}`];
}

export function openFilters() {
  $("filters").open = true;
  form.elements.state.focus();
}
