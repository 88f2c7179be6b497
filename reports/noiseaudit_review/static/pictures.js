// Pictures that do not come: the server has none, or does not answer.

import { state } from "./state.js";

export const NONE = "No picture";
export const GONE = "The server is gone";
export const AGAIN_MS = 2000; // until a picture is asked for again that no server answered for

const ANSWERS = [200, 404]; // as of a server that has no picture, or none that a browser can show; any other is of another run

/** Why the picture at this address is not shown: NONE or GONE. */
export async function whyNot(address) {
  if (!state.audit.has_images) return NONE;
  try {
    return ANSWERS.includes((await fetch(address)).status) ? NONE : GONE;
  } catch {
    return GONE;
  }
}
