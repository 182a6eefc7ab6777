// Short words at the edge of the page: what was done, and what could not be.

import { $ } from "./dom.js";

// Long enough to be read; what went wrong stays longer.
const GOOD_MS = 7000;
const BAD_MS = 12000;

export function toast(words, bad = false, link) {
  const note = document.createElement("div");
  note.className = bad ? "toast bad" : "toast";
  const text = document.createElement("span");
  text.textContent = words;
  note.append(text);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.text;
    note.append(anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => note.remove());
  note.append(close);
  $("#toasts").append(note);
  setTimeout(() => note.remove(), bad ? BAD_MS : GOOD_MS);
}
