// One suspect, large.

import { $, estimated, get, make, number, unbroken } from "./base.js";
import { AGAIN_MS, GONE, whyNot } from "./pictures.js";
import { className, load, picture, row, state } from "./state.js";

const STRIPS = ["likeFirst", "likeSecond"];
const MOST_ENLARGED = 12; // times: beyond, small images are unrecognisable
let shown = null; // number of the row that is on the screen
let since = performance.now();
let pictures = 0; // asked for so far
let isSeen = false; // the picture of the row whose labels are shown, or that it has none

export const current = () => row(state.index);
export const isReady = () => isSeen && shown === current()?.row;
export const secondsShown = () => Math.min(3600, (performance.now() - since) / 1000);

export async function showSingle() {
  if (state.total === 0) return;
  const wanted = state.index;
  const found = row(wanted) ?? (await load(wanted));
  if (wanted !== state.index || !found) return;
  $("place").textContent = `${number(wanted + 1)} of ${number(state.total)}`;
  $("previous").disabled = wanted === 0;
  $("next").disabled = wanted === state.total - 1;
  showDecision(found);
  if (shown === found.row) return;
  shown = found.row;
  showPicture(found);
  $("given").textContent = className(found.given);
  if (!state.audit.blind) {
    $("suggested").textContent = className(found.suggested);
    $("sure").textContent = found.given < 0 ? `, the model gives it ${estimated(found.p_suggested)}` : "";
    $("why").textContent = unbroken(found.why);
  }
  showFacts(found);
  showSimilar(found);
  for (const ahead of [1, 2, 3]) load(wanted + ahead).then(prefetch);
}

export function again() {
  shown = null;
}

// Until it is there, nothing is: the picture of the row before must not stand beside this one's labels.
async function showPicture(found) {
  const image = $("large");
  const own = ++pictures;
  $("caption").textContent = found.image || found.sample;
  image.alt = `Picture of row ${found.row}, ${found.given < 0 ? "without a label" : `labelled ${className(found.given)}`}`;
  isSeen = false;
  image.hidden = true;
  image.removeAttribute("src");
  $("noPicture").hidden = false;
  if ($("noPicture").textContent !== GONE) $("noPicture").textContent = "Loading …";
  const address = picture(found.row, "large");
  const isThere = state.audit.has_images && (await isDecoded(image, address));
  const why = isThere ? "" : await whyNot(address);
  if (own !== pictures) return;
  $("noPicture").textContent = why;
  if (why === GONE) return setTimeout(() => own === pictures && showPicture(found), AGAIN_MS);
  image.style.maxWidth = `${MOST_ENLARGED * image.naturalWidth}px`;
  image.style.maxHeight = `${MOST_ENLARGED * image.naturalHeight}px`;
  image.hidden = !isThere;
  $("noPicture").hidden = isThere;
  isSeen = true;
  since = performance.now();
}

function isDecoded(image, address) {
  image.src = address;
  return image.decode().then(
    () => true,
    () => false,
  );
}

export const togglePixels = () => $("large").classList.toggle("pixels");

function prefetch(ahead) {
  if (ahead && state.audit.has_images) new Image().src = picture(ahead.row, "large");
}

function showFacts(found) {
  const facts = state.audit.blind ? [] : opinions(found);
  if (found.split) facts.push(`split ${found.split}`);
  if (found.annotator) facts.push(`by ${found.annotator}`);
  facts.push(`row ${found.row}`);
  $("facts").replaceChildren(...facts.map((fact) => make("li", "", fact)));
  if (!state.audit.blind) $("facts").prepend(...kindChip(found.kind));
}

/** What the audit thinks, but for what it suggests. */
function opinions({ p, top }) {
  const likely = p === null ? [] : [`${estimated(p)} likely wrong`];
  return [...likely, ...top.slice(0, 3).map(([code, share]) => `${className(code)} ${estimated(share)}`)];
}

const KINDS = { // name, and what the model found; none is what a person decided
  duplicate_conflict: ["labelled twice", "The same picture, or almost the same, has another label elsewhere."],
  class_pair: ["often mixed up", "These two classes are mixed up here more than by chance."],
  ambiguous: ["two labels fit", "The model gives both labels 20 % or more."],
  unsure: ["model is unsure", "The model gives no class 50 %. It may be a wrong label like any other; rarely is it that no class fits."],
  mislabeled: ["label looks wrong", "None of these: the model gives one of the two labels 50 % or more."],
};
export const kindInWords = (kind) => KINDS[kind]?.[0] ?? kind.replaceAll("_", " ");

/** What to show of the kind, where it says more than that the row is a suspect. */
export const kindShown = (kind) => (kind && kind !== "mislabeled" ? `kind: ${kindInWords(kind)}` : "");

function kindChip(kind) {
  const text = kindShown(kind);
  if (!text) return [];
  const chip = make("li", "", text);
  chip.title = KINDS[kind]?.[1] ?? "";
  return [chip];
}

export function fillKinds() {
  for (const [name, says] of Object.values(KINDS)) {
    const line = make("div");
    line.append(make("dt", "", name), make("dd", "", says));
    $("kinds").append(line);
  }
}

const VERBS = { keep: "kept", ambiguous: "ambiguous", skip: "skipped" };
const inWords = (said, given) =>
  said.decision === "relabel" ? `${given < 0 ? "labelled" : "relabelled"} ${said.text}` : VERBS[said.decision];

export const inShort = (said) => (said.decision === "relabel" ? `→ ${said.text}` : VERBS[said.decision]);

// Others' answers would sway one that is not given yet, or taken back: the server tells them afterwards, or, at once, whoever
// asks for those that differ and settles them.
const isJudged = ({ mine }) => mine !== null && mine.decision !== "skip";
const othersTold = (found) => ((isJudged(found) || state.filter.state === "disputed") && found.others) || [];

function showDecision(found) {
  $("decided").replaceChildren(found.mine ? `You: ${inWords(found.mine, found.given)}` : "");
  for (const other of othersTold(found)) $("decided").append(make("span", "quiet", `${other.who}: ${inWords(other, found.given)}`));
  for (const button of document.querySelectorAll("#single [data-do]"))
    button.setAttribute("aria-pressed", String(isDone(button.dataset.do, found)));
  for (const button of document.querySelectorAll('#single [data-do="undo"]')) button.removeAttribute("aria-pressed");
  document.querySelector('#single [data-do="accept"]').disabled = !(found.suggested >= 0);
  document.querySelector('#single [data-do="keep"]').disabled = found.given < 0;
}

function isDone(what, { mine, suggested }) {
  if (!mine) return false;
  if (what === "accept") return mine.decision === "relabel" && mine.label === suggested;
  if (what === "choose") return mine.decision === "relabel" && mine.label !== suggested;
  return mine.decision === what;
}

// Which rows stand beside this one: [what the server calls them, their class] for each strip.
function compared({ given, suggested, top }) {
  if (given >= 0) return state.audit.blind ? [["given", given]] : [["given", given], ["suggested", suggested]];
  const next = top.find(([code]) => code !== suggested);
  return [["suggested", suggested], ...(next ? [["next", next[0]]] : [])];
}

async function showSimilar(found) {
  const like = state.audit.compares ? "Most like it" : "Least doubted";
  const strips = compared(found);
  STRIPS.forEach((id, place) => {
    $(id).parentElement.hidden = place >= strips.length;
    if (place < strips.length) $(`${id}Title`).textContent = `${like} among ${className(strips[place][1])}`;
    $(id).replaceChildren();
  });
  document.querySelector(".similar").hidden = !state.audit.has_images;
  if (!state.audit.has_images) return;
  const alike = await get(`/api/similar/${found.row}`, { count: 6 });
  if (shown !== found.row) return;
  strips.forEach(([which, code], place) => strip(STRIPS[place], alike[which], className(code)));
}

function strip(id, rows, label) {
  const images = rows.map((number) => {
    const image = make("img");
    image.alt = `Row ${number}, labelled ${label}`;
    image.src = picture(number, "small");
    return image;
  });
  $(id).replaceChildren(...(images.length ? images : [make("p", "", "There is none.")]));
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) since = performance.now();
});
