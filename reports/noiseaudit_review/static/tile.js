// One tile of the grid, and its picture.

import { make } from "./base.js";
import { AGAIN_MS, GONE, NONE, whyNot } from "./pictures.js";
import { picture } from "./state.js";

/** A tile in `board`, of no row yet. */
export function newTile(board) {
  const element = make("div", "tile");
  element.setAttribute("role", "option");
  const image = make("img");
  image.decoding = "async";
  image.alt = "";
  const none = make("div", "none", NONE);
  const lines = ["from", "to", "done"].map((name) => make("div", `line ${name}`));
  const [name, share, mark] = [make("span", "name"), make("span", "share"), make("span", "mark")];
  lines[1].append(name, share);
  element.append(image, none, ...lines, mark);
  board.append(element);
  const tile = { element, image, none, lines, name, share, mark, row: null };
  image.addEventListener("load", () => showPicture(tile, true));
  image.addEventListener("error", () => missing(tile));
  return tile;
}

export function showPicture({ image, none }, isThere) {
  image.hidden = !isThere;
  none.hidden = isThere;
}

async function missing(tile) {
  const own = tile.row;
  if (own === null) return; // it left the screen
  const address = picture(own, "small");
  const why = await whyNot(address);
  if (tile.row !== own) return;
  tile.none.textContent = why;
  showPicture(tile, false);
  if (why === GONE) setTimeout(() => tile.row === own && (tile.image.src = address), AGAIN_MS);
}
