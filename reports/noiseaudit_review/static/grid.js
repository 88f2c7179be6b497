// Many suspects at once. Only the tiles on the screen, and a few around it, are in the document.

import { $, estimated, number, say } from "./base.js";
import { NONE } from "./pictures.js";
import { className, leftOut, load, picture, row, selection, state } from "./state.js";
import { inShort, kindShown } from "./single.js";
import { newTile, showPicture } from "./tile.js";

const GAP = 8;
const LEAST_WIDTH = 160;
const TEXT_HEIGHT = 66;
const AROUND = 2; // lines of tiles above and below the screen
const MOST_PX = 15_000_000; // browsers cut off what is higher
const REST_MS = 70; // without scrolling, before pages are fetched

const tiles = new Map(); // place -> element
const free = [];
let columns = 1;
let width = 0;
let height = 0;
let asked = 0;
let resting = 0;

const scroller = $("scroller");
const board = $("tiles");

export function layOut() {
  const room = board.clientWidth;
  columns = Math.max(2, Math.floor((room + GAP) / (LEAST_WIDTH + GAP)));
  width = (room - GAP * (columns - 1)) / columns;
  height = width + TEXT_HEIGHT;
  const lines = Math.ceil(state.total / columns);
  const fit = columns * Math.floor(MOST_PX / (height + GAP));
  if (state.total > fit) say(`The grid shows the first ${number(fit)} of these rows: filter to see others.`, 8);
  board.style.height = `${Math.min(MOST_PX, lines * (height + GAP) + GAP)}px`;
  for (const place of [...tiles.keys()]) release(place);
  draw();
}

export function showGrid() {
  if ($("grid").hidden) return;
  draw();
  for (const [place, tile] of tiles) fill(tile, place);
  $("selected").textContent = selection.size ? `${number(selection.size)} selected` : "";
}

function draw() {
  asked = 0;
  if ($("grid").hidden || height <= 0) return;
  const step = height + GAP;
  const first = Math.max(0, Math.floor(scroller.scrollTop / step) - AROUND) * columns;
  const last = Math.min(state.total, (Math.ceil((scroller.scrollTop + scroller.clientHeight) / step) + AROUND) * columns);
  for (const place of [...tiles.keys()]) if (place < first || place >= last) release(place);
  for (let place = first; place < last; place++) if (!tiles.has(place)) put(place);
  clearTimeout(resting);
  resting = setTimeout(() => fetchMissing(first, last), REST_MS);
}

function fetchMissing(first, last) {
  for (let place = first; place < last; place += 1) if (!row(place)) load(place);
}

scroller.addEventListener("scroll", () => (asked ||= requestAnimationFrame(draw)), { passive: true });
new ResizeObserver(() => !$("grid").hidden && board.clientWidth && layOut()).observe(scroller);

function release(place) {
  const tile = tiles.get(place);
  tiles.delete(place);
  tile.element.hidden = true;
  tile.element.setAttribute("aria-selected", "false");
  tile.image.removeAttribute("src");
  tile.row = null;
  free.push(tile);
}

function put(place) {
  const tile = free.pop() ?? newTile(board);
  const { element } = tile;
  element.hidden = false;
  element.id = `tile-${place}`;
  element.dataset.place = place;
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
  const [line, column] = [Math.floor(place / columns), place % columns];
  element.style.transform = `translate(${column * (width + GAP)}px, ${line * (height + GAP) + GAP}px)`;
  element.setAttribute("aria-setsize", state.total);
  element.setAttribute("aria-posinset", place + 1);
  tiles.set(place, tile);
  fill(tile, place);
}

function fill(tile, place) {
  const { element, image, none, lines, name, share, mark } = tile;
  const found = row(place);
  element.setAttribute("aria-selected", String(selection.has(place)));
  element.classList.toggle("here", place === state.index);
  element.dataset.said = found?.mine?.decision ?? "";
  if (place === state.index) board.setAttribute("aria-activedescendant", element.id);
  const [from, , done] = lines;
  from.textContent = found ? className(found.given) : "…";
  name.textContent = found && !state.audit.blind ? `→ ${className(found.suggested)}` : "";
  share.textContent = found && found.given < 0 && !state.audit.blind ? estimated(found.p_suggested) : ""; // all there is to go by
  done.textContent = found?.mine ? inShort(found.mine) : kindShown(found?.kind);
  mark.textContent = found && !found.mine && leftOut.has(found.row) ? "left out" : "";
  if (!found || tile.row === found.row) return;
  tile.row = found.row;
  none.textContent = NONE;
  showPicture(tile, state.audit.has_images);
  if (state.audit.has_images) image.src = picture(found.row, "small");
}

/** Of the tiles that are on the screen whole: the place of the first, and the place after the last. */
export function screen() {
  const step = height + GAP;
  const first = Math.max(0, Math.ceil((scroller.scrollTop - GAP) / step));
  const end = Math.max(first + 1, Math.floor((scroller.scrollTop + scroller.clientHeight) / step));
  return [first * columns, Math.min(state.total, end * columns)];
}

export const toTop = (place) => (scroller.scrollTop = Math.floor(place / columns) * (height + GAP));

/** As `reveal`, but what was off the screen comes to its top, with what follows below it. */
export function revealAtTop() {
  const [first, end] = screen();
  if (state.index < first || state.index >= end) toTop(state.index);
  showGrid();
}

export function reveal() {
  const step = height + GAP;
  const top = Math.floor(state.index / columns) * step;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + step > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + step - scroller.clientHeight + GAP;
  showGrid();
}

export function move(by, select) {
  const to = Math.min(state.total - 1, Math.max(0, state.index + by));
  if (select) {
    const [low, high] = [Math.min(state.index, to), Math.max(state.index, to)];
    for (let place = low; place <= high; place++) pick(place);
  }
  state.index = to;
  reveal();
}

export const down = () => columns;

function pick(place) {
  if (!row(place)) return;
  selection.add(place);
  leftOut.delete(row(place).row);
}

export function toggle(place) {
  if (!selection.delete(place)) pick(place);
  else if (row(place)) leftOut.add(row(place).row);
  showGrid();
}

export function selectScreen() {
  const [first, end] = screen();
  for (let place = first; place < end; place++) {
    const found = row(place);
    if (found && !found.mine && !leftOut.has(found.row)) selection.add(place);
  }
  showGrid();
}

board.addEventListener("click", (event) => {
  const place = Number(event.target.closest(".tile")?.dataset.place);
  if (Number.isNaN(place)) return;
  if (event.shiftKey) return move(place - state.index, true);
  state.index = place;
  toggle(place);
});
board.addEventListener("dblclick", (event) => {
  if (event.target.closest(".tile")) board.dispatchEvent(new CustomEvent("open-large", { bubbles: true }));
});
