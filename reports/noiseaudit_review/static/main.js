// Puts the page together.

import { $, counted, get, post, say, setRun } from "./base.js";
import { act, go, inGrid, show } from "./actions.js";
import { fillFilters, noteFilters } from "./filters.js";
import { showAgain, showAgreement, showProgress } from "./figures.js";
import { layOut, revealAtTop } from "./grid.js";
import { firstName, keepName } from "./who.js";
import { listen } from "./keys.js";
import { again, fillKinds } from "./single.js";
import { areUnlabelled, leftOut, makeList, onRows, state } from "./state.js";

async function newList() {
  state.index = await makeList(); // the first that this reviewer has not answered
  again();
  document.body.classList.toggle("unlabelled", areUnlabelled());
  noteFilters();
  showAgain();
  $("single").hidden = inGrid() || state.total === 0;
  if (inGrid()) {
    $("scroller").scrollTop = 0;
    layOut();
    revealAtTop();
  }
  await show();
}

function setView(grid) {
  $("grid").hidden = !grid;
  $("single").hidden = grid || state.total === 0;
  $("toGrid").setAttribute("aria-pressed", String(grid));
  $("toSingle").setAttribute("aria-pressed", String(!grid));
  if (grid) {
    layOut();
    revealAtTop();
    $("tiles").focus({ preventScroll: true });
  } else show();
}

async function setReviewer(name) {
  const bare = name.trim();
  try {
    showProgress(await get("/api/progress", { reviewer: bare }));
    $("whoHelp").textContent = "";
  } catch (error) {
    $("whoHelp").textContent = error.message.replace(/^.*Value error, /, "");
    return;
  }
  const isNew = bare !== state.reviewer;
  if (isNew) leftOut.clear();
  state.reviewer = bare;
  $("reviewer").value = bare;
  keepName(bare);
  if (isNew) await newList();
}

function openHelp() {
  $("help").showModal();
  $("help").scrollTop = 0; // not where it was left
}

async function exportFile() {
  const { n, n_skipped: skipped, notes } = await post("/api/export");
  const open = skipped ? ` and ${counted(skipped, "skip")}` : "";
  const told = `${counted(n, "decision")}${open} written to ${state.audit.export}`;
  say([...notes, ...(n || skipped || !notes.length ? [told] : [])].join(". "), 8);
}

function wire() {
  $("who").addEventListener("submit", (event) => {
    event.preventDefault();
    setReviewer($("reviewer").value); // Enter says that it is right, changed or not
    $("reviewer").blur();
  });
  $("reviewer").addEventListener("change", () => setReviewer($("reviewer").value));
  $("toSingle").addEventListener("click", () => setView(false));
  $("toGrid").addEventListener("click", () => setView(true));
  $("previous").addEventListener("click", () => go(-1));
  $("next").addEventListener("click", () => go(1));
  $("openHelp").addEventListener("click", openHelp);
  $("openAgreement").addEventListener("click", () => showAgreement().catch(complain));
  $("export").addEventListener("click", () => exportFile().catch(complain));
  for (const button of document.querySelectorAll("[data-do]"))
    button.addEventListener("click", () => act(button.dataset.do));
  document.addEventListener("open-large", () => setView(false));
  listen({ toggleView: () => setView(!inGrid()), openLarge: () => setView(false), openHelp });
  onRows(show);
}

function complain(error) {
  say(`Not possible: ${error.message}`, 10);
}

// Of rows that were drawn: what the audit thinks of them would sway the answers, and the server does not tell it.
function hideOpinions() {
  for (const element of document.querySelectorAll("[data-opinion]")) element.hidden = true;
  document.body.classList.add("blind");
  $("nextDoes").textContent = "and this says how good the audit is:";
}

async function start() {
  state.audit = await get("/api/audit");
  setRun(state.audit.run);
  $("name").textContent = `· ${state.audit.name}`;
  document.title = `${state.audit.name} · noiseaudit review`;
  $("exportPath").textContent = state.audit.export;
  $("nextCommand").textContent = state.audit.next;
  if (state.audit.blind) hideOpinions();
  fillKinds();
  fillFilters(() => newList().catch(complain));
  wire();
  state.reviewer = firstName();
  $("reviewer").value = state.reviewer;
  await newList();
  showProgress(await get("/api/progress", { reviewer: state.reviewer }));
  document.documentElement.dataset.ready = "yes";
}

addEventListener("unhandledrejection", (event) => complain(event.reason));
start().catch(complain);
