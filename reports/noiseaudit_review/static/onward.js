// Where the grid goes on after a decision.

import { revealAtTop, screen, showGrid, toTop } from "./grid.js";
import { settled } from "./outbox.js";
import { leftOut, load, row, selection, state, unanswered } from "./state.js";

let leaving = -1; // a place that was decided about, until the next one is known

/** Whether the next key is not meant for the tile that is looked at: it was answered just now. */
export const isLeaving = () => state.index === leaving && !selection.size;

/** From a single tile to the next open one; whether there is any. */
export const afterTile = (place) =>
  leave(place, async () => {
    const next = await openFrom(place + 1);
    return next === null ? null : { top: null, next };
  });

/** From those selected, of which `place` is the last, on: the first open row of the screen comes to its top, but for those
 * that were left out on purpose; whether there is any. */
export const afterBatch = (place) =>
  leave(place, async () => {
    const passed = (found) => leftOut.has(found.row);
    const top = await openFrom(screen()[0], passed);
    return top === null ? null : { top, next: (await openFrom(place + 1, passed)) ?? top };
  });

async function leave(place, find) {
  state.index = leaving = place;
  showGrid();
  let found = null;
  try {
    found = await find();
  } finally {
    if (leaving === place) leaving = -1;
  }
  if (found === null || state.index !== place) return found !== null; // moved on by hand meanwhile
  const { top, next } = found;
  if (top !== null) toTop(top);
  const [first, end] = screen();
  state.index = top === null || (next >= first && next < end) ? next : top;
  revealAtTop();
  return true;
}

// The place of the next row from `place` on that this reviewer has not answered, but for those that are `passed`; null: none.
async function openFrom(place, passed = () => false) {
  for (let next = place; next < state.total; ) {
    const found = row(next);
    if (found && !found.mine && !passed(found)) return next;
    if (found) next++;
    else {
      await settled(); // it is far: the server knows, and goes back to the top after the last
      const known = (await unanswered(next)).next;
      if (known === null || known < next || !(await load(known))) return null;
      next = known;
    }
  }
  return null;
}
