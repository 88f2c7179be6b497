// Pictures that do not come: the server has none, or does not answer.

import { state } from "./state.js";

export const NONE = "No picture";
export const GONE = "The server is gone";
export const AGAIN_MS = 2000; // until a picture is asked for again that no server answered for

const STRANGERS = [401, 403, 409]; // answers of a server of another run, or one that was started again; any other is ours

/** Why the picture at this address is not shown: NONE or GONE. */
export async function whyNot(address) {
  if (!state.audit.has_images) return NONE;
  try {
    return STRANGERS.includes((await fetch(address)).status) ? GONE : NONE;
  } catch {
    return GONE;
  }
}
