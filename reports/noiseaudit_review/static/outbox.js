// Decisions on their way to the server: in order, one after the other, each with its own id, again until they arrive.

import { $, newId, post, Refusal, say } from "./base.js";
import { state, update } from "./state.js";
import { showProgress } from "./figures.js";

const waiting = [];
let sending = false;
let failures = 0;
let isLockedOut = false; // the server was started again, with another token

export const isEmpty = () => waiting.length === 0;

export function decide(answers, seconds) {
  const body = { event_id: newId(), reviewer: state.reviewer, answers, seconds };
  update(
    answers.map(({ row, decision, label }) => ({
      row,
      mine: { decision, label: label ?? null, text: label === undefined ? null : state.audit.classes[label] },
    })),
  );
  return enqueue("/api/decisions", body);
}

export const undo = () => enqueue("/api/undo", { event_id: newId(), reviewer: state.reviewer });

function enqueue(path, body) {
  const done = new Promise((resolve) => waiting.push({ path, body, resolve }));
  send();
  return done;
}

async function send() {
  show();
  if (sending) return;
  sending = true;
  while (waiting.length) {
    const { path, body, resolve } = waiting[0];
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
      if (error instanceof Refusal && error.status < 500 && ![401, 403, 421].includes(error.status)) {
        waiting.shift(); // it will never be taken
        say(`Not recorded: ${error.message}`, 10);
        resolve(null);
      } else {
        failures += 1;
        isLockedOut = [401, 403].includes(error.status);
        show();
        await new Promise((again) => setTimeout(again, Math.min(5000, 250 * 2 ** failures)));
      }
    }
    show();
  }
  sending = false;
}

function show() {
  const stuck = failures > 0 && waiting.length > 0;
  $("saved").classList.toggle("waiting", stuck);
  const why = isLockedOut ? "open the server's new address in another tab" : "no answer from the server, trying again";
  if (stuck) $("saved").textContent = `${waiting.length} not saved: ${why}`;
  else if (waiting.length) $("saved").textContent = "Saving …";
  else if ($("saved").textContent) $("saved").textContent = "All saved";
}

addEventListener("beforeunload", (event) => {
  if (!isEmpty()) event.preventDefault();
});
