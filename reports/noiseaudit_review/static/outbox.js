// Decisions on their way to the server: in order, one after the other, each with its own id, again until they arrive.

import { $, newId, post, Refusal, say } from "./base.js";
import { showGone } from "./gone.js";
import { leftOut, placeOf, row as rowAt, state, update } from "./state.js";
import { showProgress } from "./figures.js";

const NO_ANSWER = "no answer from the server, trying again";
const GONE_AFTER = 5; // tries without an answer, in 8 s
const NEW_TOKEN = "open the server's new address in another tab";
const WAITS = { // that the server may take later, once it is started again
  401: NEW_TOKEN,
  403: NEW_TOKEN,
  409: "the server shows another run now: start it for this page's run again, or reload and lose them",
  421: NO_ANSWER,
};

const waiting = [];
let sending = false;
let last = Promise.resolve();
let failures = 0;
let why = ""; // the first one waits

/** When all that was decided until now has arrived. */
export const settled = () => last;
export const isEmpty = () => waiting.length === 0;

export function decide(answers, seconds) {
  const body = { event_id: newId(), reviewer: state.reviewer, answers, seconds };
  const before = answers.map(({ row }) => ({ row, mine: rowAt(placeOf(row))?.mine ?? null }));
  for (const { row } of answers) leftOut.delete(row);
  update(
    answers.map(({ row, decision, label }) => ({
      row,
      mine: { decision, label: label ?? null, text: label === undefined ? null : state.audit.classes[label] },
    })),
  );
  return enqueue("/api/decisions", body, before);
}

export const undo = () => enqueue("/api/undo", { event_id: newId(), reviewer: state.reviewer });

// `before`: what the page showed of the rows until now.
function enqueue(path, body, before = []) {
  last = new Promise((resolve) => waiting.push({ path, body, before, resolve }));
  send();
  return last;
}

async function send() {
  show();
  if (sending) return;
  sending = true;
  while (waiting.length) {
    const { path, body, before, resolve } = waiting[0];
    try {
      const news = await post(path, body);
      waiting.shift();
      failures = 0;
      if (body.reviewer === state.reviewer) {
        if (!waiting.length) update(news.rows); // what is on its way is newer
        showProgress(news.progress);
      }
      resolve(news);
    } catch (error) {
      if (error instanceof Refusal && error.status < 500 && !(error.status in WAITS)) {
        waiting.shift(); // it will never be taken
        if (body.reviewer === state.reviewer) showAgain(before);
        say(`Not recorded: ${error.message}`, 10);
        resolve(null);
      } else {
        failures += 1;
        why = WAITS[error.status] ?? (error instanceof Refusal ? `${error.message}, trying again` : NO_ANSWER);
        show();
        await new Promise((again) => setTimeout(again, Math.min(5000, 250 * 2 ** failures)));
      }
    }
    show();
  }
  sending = false;
}

// What was refused is off the screen; where a later decision waits, that one goes back to it, should it be refused, too.
function showAgain(before) {
  const left = new Map(before.map((item) => [item.row, item]));
  for (const later of waiting.flatMap((action) => action.before)) {
    if (!left.has(later.row)) continue;
    later.mine = left.get(later.row).mine;
    left.delete(later.row);
  }
  update([...left.values()]);
}

function show() {
  const stuck = failures > 0 && waiting.length > 0;
  $("saved").classList.toggle("waiting", stuck);
  const isGone = stuck && failures >= GONE_AFTER && why === NO_ANSWER;
  showGone(isGone ? waiting.map(({ body }) => body) : null);
  if (stuck) $("saved").textContent = `${waiting.length} not saved${isGone ? "" : `: ${why}`}`;
  else if (waiting.length) $("saved").textContent = "Saving …";
  else if ($("saved").textContent) $("saved").textContent = "All saved";
}

addEventListener("beforeunload", (event) => {
  if (!isEmpty()) event.preventDefault();
});
