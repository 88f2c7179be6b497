// What a reviewer can do, in either view.

import { $, number, say } from "./base.js";
import { choose } from "./chooser.js";
import { move, reveal, selectScreen, showGrid } from "./grid.js";
import { afterBatch, afterTile, isLeaving } from "./onward.js";
import { decide, settled, undo } from "./outbox.js";
import { current, isReady, secondsShown, showSingle } from "./single.js";
import { className, placeOf, row, selection, state, unanswered } from "./state.js";

const MOST_ROWS = 500; // of one action

export const inGrid = () => !$("grid").hidden;

export async function show() {
  $("nothing").hidden = state.total > 0;
  if (inGrid()) showGrid();
  else await showSingle();
}

export async function go(by) {
  if (inGrid()) return move(by, false);
  const to = state.index + by;
  if (to < 0) return;
  if (to >= state.total) return sayEnd();
  state.index = to;
  await showSingle();
}

async function sayEnd() {
  await settled();
  const { n } = await unanswered(0);
  const left = `${number(n)} of ${number(state.total)} ${n === 1 ? "is" : "are"} unanswered by you: J goes to the next.`;
  say(`This was the last of the list. ${n ? left : "You have answered all of it."}`, 8);
}

export async function nextOpen() {
  let next = state.index + 1;
  while (row(next)?.mine) next++;
  if (!row(next)) { // far away, or from the top again: the server knows, without 60 rows at a time being fetched
    await settled();
    ({ next } = await unanswered(next));
    if (next === null) return say("You have answered all of this list.");
    if (next <= state.index) say("From the top of the list again.");
  }
  state.index = next;
  return inGrid() ? reveal() : showSingle();
}

function targets() {
  const places = inGrid() && selection.size ? [...selection].sort((a, b) => a - b) : [state.index];
  return places.filter((place) => row(place));
}

function named() {
  if ($("reviewer").value.trim() !== state.reviewer) {
    say("The name in the box is being changed: press Enter there first.");
    return false;
  }
  if (state.reviewer) return true;
  say("Say who you are first: your name stands beside each decision.");
  $("reviewer").focus();
  return false;
}

// About what was marked when the key was pressed: the list may move on while a label is chosen.
function answerAll(answerOf, places = targets(), rows = places.map(row)) {
  const answers = rows.map(answerOf).filter(Boolean);
  const left = rows.length - answers.length;
  if (!answers.length) return say("There is no label to keep. Accept the suggestion, or choose one.");
  const seconds = inGrid() ? undefined : secondsShown();
  for (let start = 0; start < answers.length; start += MOST_ROWS)
    decide(answers.slice(start, start + MOST_ROWS), seconds);
  if (!inGrid()) return places[0] === state.index ? go(1) : showSingle();
  const isBatch = selection.size > 0;
  selection.clear();
  if (left) say(`${number(answers.length)} decided, ${number(left)} have no label to keep. U takes it back.`);
  else if (answers.length > 1) say(`${number(answers.length)} decided. U takes it back.`);
  const wentOn = isBatch ? afterBatch(places.at(-1)) : afterTile(places[0]);
  return wentOn.then((isMore) => isMore || sayEnd());
}

async function takeBack() {
  const news = await undo();
  if (!news) return;
  if (!news.rows.length) return say("There is nothing of yours to undo.");
  const places = news.rows.map((item) => placeOf(item.row)).filter((place) => place >= 0);
  if (places.length) state.index = Math.min(...places);
  say(news.rows.length > 1 ? `${number(news.rows.length)} decisions undone` : "Undone");
  if (inGrid()) reveal();
  else await showSingle();
}

function chooseLabel() {
  const places = targets();
  const rows = places.map(row);
  choose(likely(rows), (label) => {
    answerAll(({ row: number }) => ({ row: number, decision: "relabel", label }), places, rows);
    say(`${rows.every(({ given }) => given < 0) ? "Labelled" : "Relabelled"} ${className(label)}`);
  });
}

// The classes to choose from, most probable first: those suggested, then what else the model thinks of.
function likely(rows) {
  if (state.audit.blind) return rows.length === 1 ? [rows[0].given] : [];
  const weights = new Map();
  for (const { suggested, top } of rows) {
    for (const [code, p] of top) weights.set(code, (weights.get(code) ?? 0) + p);
    if (suggested >= 0) weights.set(suggested, (weights.get(suggested) ?? 0) + 1);
  }
  return [...weights.keys()].sort((a, b) => weights.get(b) - weights.get(a));
}

const ACTIONS = {
  keep: () => answerAll(({ row: number, given }) => given >= 0 && { row: number, decision: "keep" }),
  accept: () =>
    !state.audit.blind &&
    answerAll(({ row: number, suggested }) => suggested >= 0 && { row: number, decision: "relabel", label: suggested }),
  choose: chooseLabel,
  ambiguous: () => answerAll(({ row: number }) => ({ row: number, decision: "ambiguous" })),
  skip: () => answerAll(({ row: number }) => ({ row: number, decision: "skip" })),
  undo: takeBack,
};

export function act(name) {
  if (name === "screen") return selectScreen();
  if (!named() || state.total === 0) return;
  if (name !== "undo" && inGrid() && isLeaving()) return say("Not decided: the next open row is still on its way.");
  if (name !== "undo" && !inGrid() && !isReady()) return say("Not decided: the picture is not there yet.");
  return ACTIONS[name]();
}
