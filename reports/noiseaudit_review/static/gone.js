// What to do where the server of this page does not come back: another one has another port and token.

import { $, counted, make } from "./base.js";
import { inShort } from "./single.js";
import { state } from "./state.js";

const MOST_NAMED = 8; // answers

let told = ""; // an alert that is written again is read out again

/** `bodies`: what was not sent; null where the server answers. */
export function showGone(bodies) {
  const now = bodies === null ? "" : bodies.map((body) => body.event_id).join();
  if (now === told) return;
  told = now;
  $("gone").hidden = bodies === null;
  if (bodies !== null) tell(bodies);
}

function tell(bodies) {
  const answers = bodies.flatMap((body) => body.answers ?? []);
  const undone = bodies.filter((body) => !body.answers).length;
  const lost = [...(answers.length ? [counted(answers.length, "decision")] : []), ...(undone ? [counted(undone, "undo")] : [])];
  const code = make("code", "", "noiseaudit review");
  const port = make("code", "", `--port ${location.port}`);
  const lines = [
    ["The server of this page is gone. Not saved: ", `${lost.join(" and ")}${answers.length ? `, ${named(answers)}` : ""}.`],
    ["Start ", code, " again: at the address that it prints, these are open still, to be decided anew. Or start it with ", port,
      ", and open its address in this browser: then this tab sends them by itself. Until then, do not close it."],
  ];
  $("gone").replaceChildren(...lines.map(paragraph));
}

function paragraph(parts) {
  const made = make("p");
  made.append(...parts);
  return made;
}

// By the number that stands beside a row on the page.
function named(answers) {
  const words = answers.slice(0, MOST_NAMED).map(({ row, decision, label }) => {
    const text = label === undefined ? null : state.audit.classes[label];
    return `row ${row} (${inShort({ decision, text })})`;
  });
  const more = answers.length - words.length;
  return words.join(", ") + (more ? ` and ${more} more` : "");
}
