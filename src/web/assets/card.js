// The card on top of a room: one line, and the whole of it for who wants it.

import { $ } from "./dom.js";
import { parse } from "./messages.js";

const KEY = "card";

export function showCard(html) {
  const old = $("#pinned");
  const focused = old?.contains(document.activeElement);
  const line = focused && document.activeElement.dataset.line;
  const scrolled = old && $(".message", old).scrollTop;
  $("#pinned-slot").replaceChildren(parse(html));
  startCard();
  const card = $("#pinned");
  if (!card) return;
  if (scrolled) $(".message", card).scrollTop = scrolled;
  if (focused) ($(`[data-line="${CSS.escape(line || "")}"]`, card) ?? $("summary", card)).focus({ preventScroll: true });
}

// Folded unless its reader opened it; that holds in every room of this sitting.
export function startCard() {
  const card = $("#pinned");
  if (!card) return;
  card.open = sessionStorage.getItem(KEY) === "open";
  card.addEventListener("toggle", () => sessionStorage.setItem(KEY, card.open ? "open" : "folded"));
}
