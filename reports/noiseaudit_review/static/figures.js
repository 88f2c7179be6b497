// The counts above, and how far reviewers agree.

import { $, counted, get, number, percent } from "./base.js";
import { areUnlabelled, state } from "./state.js";

const put = (id, text) => ($(id).textContent = text);

let last = null;

/** Of the most suspicious rows, one after the other: those that were picked by a filter would say nothing of the suspects. */
function precision({ precision: { value, low, high }, n_top: top, n_wrong, n_judged }) {
  if (value !== null) return `${percent(value)} (${percent(low)} to ${percent(high)}) of the first ${number(top)}`;
  return n_judged ? `${number(n_wrong)} of ${number(n_judged)} wrong, not from the top` : "–";
}

export const showAgain = () => last && showProgress(last);

export function showProgress(now) {
  last = now;
  const [checked, asked, mine, skipped] = areUnlabelled()
    ? [now.n_unlabelled_checked, now.n_unlabelled, now.n_unlabelled_mine, now.n_unlabelled_skipped]
    : [now.n_checked, now.n_asked, now.n_mine, now.n_skipped];
  $("bar").style.transform = `scaleX(${asked ? checked / asked : 0})`;
  put("checked", `${number(checked)} of ${number(asked)} · ${number(mine)} by you${skipped ? `, ${number(skipped)} skipped` : ""}`);
  if (!state.audit.blind) {
    put("precision", precision(now));
    put("left", number(Math.round(now.errors_left)));
  }
  put("pace", now.median_seconds === null ? "–" : `${now.median_seconds.toFixed(1)} s`);
}

function agreementInWords(now) {
  const share = now.share === null ? "" : ` Answers to the same row are equal in ${percent(now.share)} of pairs.`;
  const value =
    now.value === null
      ? `${now.measure} is not defined where all answers are the same.`
      : `${now.measure}: ${now.value.toFixed(3)} (1: they always agree; 0: as often as by chance).`;
  return `${counted(now.n_rows, "row")} ${now.n_rows === 1 ? "was" : "were"} judged by more than one of ${now.n_reviewers} reviewers.${share} ${value}`;
}

export async function showAgreement() {
  const now = await get("/api/agreement");
  const n = last?.n_disputed; // not told of rows to check blind
  const open = n ? ` ${counted(n, "row")} to settle before \`clean --decisions\`: filter Decisions by Reviewers disagree.` : "";
  put("agreementText", (now.n_rows ? agreementInWords(now) : "No given label was judged by more than one reviewer so far.") + open);
  put("agreementUnlabelled", now.unlabelled.n_rows ? `Without a label: ${agreementInWords(now.unlabelled)}` : "");
  $("agreement").showModal();
}
