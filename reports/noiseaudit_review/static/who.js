// Whose decisions these are, before anybody says so.

import { $, remember, remembered } from "./base.js";
import { state } from "./state.js";

// A name that was typed in this browser goes before the one that the server was started with: whoever forwarded its port
// would decide in somebody else's name after a reload.
function place() {
  const started = state.audit.reviewer;
  return `noiseaudit-reviewer${started ? ` in place of ${started}` : ""}`;
}

export function firstName() {
  const known = remembered(place()) || state.audit.reviewer;
  ask(!known);
  return known || state.audit.login;
}

export function keepName(name) {
  remember(place(), name);
  ask(!name);
}

// The login's name is everybody's who opens this server's page.
function ask(isAsked) {
  $("whoNote").hidden = !isAsked;
  $("reviewer").classList.toggle("unsure", isAsked);
}
