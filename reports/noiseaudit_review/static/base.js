// Small things that all parts share. Text of the data is only ever set as textContent.

export const $ = (id) => document.getElementById(id);

export function make(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export class Refusal extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

async function answer(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    throw new Refusal(response.status, "the server's answer could not be read");
  }
  if (!response.ok) throw new Refusal(response.status, body.error ?? "refused");
  return body;
}

const fetched = (path, how) =>
  fetch(path, how).catch(() => {
    throw new Error("no answer from the server");
  });

// The run whose rows and classes this page numbers: the server refuses requests about any other.
let run = null;
export const setRun = (name) => (run = name);

export async function get(path, query = {}) {
  return answer(await fetched(`${path}?${new URLSearchParams(run === null ? query : { ...query, run })}`));
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetched(path, { method: "POST", headers, body: JSON.stringify({ ...body, run }) }));
}

export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export const number = (value) => value.toLocaleString("en");
export const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
/** What a model estimates is never certain: as noiseaudit/percent.py has it, but on one line. */
export const estimated = (p) => {
  if (p < 0.001) return "<\u00a00.1\u00a0%";
  if (p > 0.999) return ">\u00a099.9\u00a0%";
  const whole = Math.round(100 * p);
  return `${(100 * p).toFixed(whole >= 10 && whole <= 99 ? 0 : 1)}\u00a0%`;
};

/** A sentence in which no share breaks over two lines. */
export const unbroken = (text) => text.replace(/([<>]) (?=\d)/g, "$1\u00a0").replace(/(\d) %/g, "$1\u00a0%");

export const percent = (value) => `${(100 * value).toFixed(value > 0.995 && value < 1 ? 1 : 0)}\u00a0%`;

let hiding = 0;
export function say(text, seconds = 4) {
  $("message").textContent = text;
  clearTimeout(hiding);
  hiding = setTimeout(() => ($("message").textContent = ""), 1000 * seconds);
}

export function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is switched off
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it is forgotten, then
  }
}
