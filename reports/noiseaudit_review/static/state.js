// What all views look at: the audit, who decides, and the list of rows, of which pages are fetched as they are needed.

import { get, post } from "./base.js";

const PAGE = 60;
const MOST_PAGES = 80; // kept; the ones that were not looked at longest are fetched again

export const state = {
  audit: null,
  reviewer: "",
  filter: { rows: "suspects", state: "any" },
  total: 0,
  index: 0, // of the list: the row that is looked at
};

export const isFiltered = () => state.filter.rows !== "suspects" || state.filter.state !== "any" || Object.keys(state.filter).length > 2;

/** Whether the rows without a label are shown, and no others. */
export const areUnlabelled = () => state.filter.rows === "unlabelled";

export const selection = new Set(); // places in the list
export const leftOut = new Set(); // rows that were taken out of a selection by hand: open, but no part of the next one

let list = 0;
let pages = new Map(); // number -> rows, the one looked at last at the end
let fetching = new Map();
const listeners = new Set();

export const onRows = (listener) => listeners.add(listener);
const changed = () => listeners.forEach((listener) => listener());

export async function makeList() {
  const made = await post("/api/lists", { ...state.filter, reviewer: state.reviewer });
  list = made.list;
  state.total = made.total;
  state.index = Math.max(0, Math.min(state.index, made.total - 1));
  selection.clear(); // other rows may be at these places now
  forget();
  return made.first;
}

export function forget() {
  pages = new Map();
  fetching = new Map();
}

export function row(index) {
  const page = pages.get(Math.floor(index / PAGE));
  return page?.[index % PAGE];
}

export async function load(index) {
  if (index < 0 || index >= state.total) return undefined;
  const page = Math.floor(index / PAGE);
  if (pages.has(page)) {
    const found = pages.get(page);
    pages.delete(page);
    pages.set(page, found);
    return found[index % PAGE];
  }
  if (!fetching.has(page)) fetching.set(page, fetchPage(page).finally(() => fetching.delete(page)));
  await fetching.get(page);
  return row(index);
}

/** How many rows of the list this reviewer has not answered, and the place of the first from `start` on, or of all. */
export async function unanswered(start) {
  const ask = () => get(`/api/lists/${list}/unanswered`, { start, reviewer: state.reviewer });
  try {
    return await ask();
  } catch (error) {
    if (error.status !== 404) throw error;
    await makeList(); // as in fetchPage
    return ask();
  }
}

async function fetchPage(page) {
  const own = list;
  try {
    const found = await get(`/api/lists/${list}`, { start: page * PAGE, count: PAGE, reviewer: state.reviewer });
    if (own !== list) return;
    pages.set(page, found.rows);
    while (pages.size > MOST_PAGES) pages.delete(pages.keys().next().value);
    changed();
  } catch (error) {
    if (own !== list) return;
    if (error.status !== 404) throw error;
    await makeList(); // the server was started again, or keeps newer lists only
    await fetchPage(page);
  }
}

// Takes in what the server, or the page before it, says of rows that are known here.
export function update(news) {
  const byRow = new Map(news.map((item) => [item.row, item]));
  for (const rows of pages.values())
    for (const known of rows) if (byRow.has(known.row)) Object.assign(known, byRow.get(known.row));
  changed();
}

export function placeOf(wanted) {
  for (const [page, rows] of pages) {
    const at = rows.findIndex((known) => known.row === wanted);
    if (at >= 0) return page * PAGE + at;
  }
  return -1;
}

export const className = (code) => (code === null || code < 0 ? "no label" : state.audit.classes[code]);
export const picture = (number, size) => `/image/${number}?size=${size}&run=${state.audit.run}`;
