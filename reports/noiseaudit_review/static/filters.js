// Which rows are shown.

import { $, counted, make, number } from "./base.js";
import { kindInWords } from "./single.js";
import { className, isFiltered, state } from "./state.js";

const form = $("filterForm");
const CODES = ["given", "suggested", "issue_kind", "split", "annotator"];
const OF_GIVEN = ["pair", "given", "issue_kind"]; // rows without a label have none of these

// `count`: how many suspects have it; said as long as these are shown.
function option(select, value, text, count) {
  const made = make("option", "", text);
  made.value = value;
  if (count !== undefined) Object.assign(made.dataset, { text, count: ` (${number(count)})` });
  select.append(made);
}

export function fillFilters(onChange) {
  const { classes, pairs, choices } = state.audit;
  for (const { given, suggested, count } of pairs)
    option(form.elements.pair, `${given},${suggested}`, `${className(given)} → ${className(suggested)}`, count);
  for (const name of ["given", "suggested"])
    classes.forEach((label, code) => option(form.elements[name], code, label));
  for (const [name, found] of Object.entries(choices)) {
    const label = form.querySelector(`[data-column="${name}"]`);
    label.hidden = found.length === 0;
    for (const choice of found) option(form.elements[name], choice.code, name === "issue_kind" ? kindInWords(choice.name) : choice.name, choice.count);
  }
  if (!state.audit.n_unlabelled) form.querySelector("[value=unlabelled]").remove();
  form.addEventListener("change", (event) => {
    const { name } = event.target;
    if (name === "pair") {
      const [given = "", suggested = ""] = event.target.value.split(",");
      form.elements.given.value = given;
      form.elements.suggested.value = suggested;
    } else if (name === "given" || name === "suggested") form.elements.pair.value = "";
    else if (name === "rows" && event.target.value === "unlabelled")
      for (const other of OF_GIVEN) form.elements[other].value = "";
    read();
    onChange();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => (read(), onChange())));
  $("clearFilters").addEventListener("click", () => form.reset());
  read();
}

function read() {
  const filter = { rows: form.elements.rows.value, state: form.elements.state.value };
  for (const name of CODES) if (form.elements[name].value !== "") filter[name] = Number(form.elements[name].value);
  state.filter = filter;
  for (const choice of form.querySelectorAll("option[data-count]"))
    choice.textContent = choice.dataset.text + (filter.rows === "suspects" ? choice.dataset.count : "");
}

export function noteFilters() {
  const used = [...form.elements].filter((field) => field.tagName === "SELECT" && field.name !== "pair" && field.selectedIndex > 0);
  const words = used.filter(({ name }) => name !== "given" && name !== "suggested").map((field) => field.selectedOptions[0].textContent);
  words.unshift(...classWords(state.filter));
  $("filterNote").textContent = `${words.length ? `${words.join(", ")}: ` : ""}${counted(state.total, "row")}${more()}`;
}

function more() {
  if (state.audit.blind) return ", drawn to be checked: what the audit thinks of them is not shown";
  const n = state.audit.n_unlabelled;
  return n && !isFiltered() ? `; ${number(n)} more without a label, under Rows` : "";
}

function classWords({ given, suggested }) {
  if (given === undefined && suggested === undefined) return [];
  if (suggested === undefined) return [`given ${className(given)}`];
  if (given === undefined) return [`suggested ${className(suggested)}`];
  return [`${className(given)} → ${className(suggested)}`];
}

export function openFilters() {
  $("filters").open = true;
  [...form.elements].find((field) => field.offsetParent).focus(); // the first that is shown: of rows to check blind there is no Rows
}
