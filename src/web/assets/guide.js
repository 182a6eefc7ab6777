// The guide of the demo. The server knows where the incident stands and sends it anew with every change.

import { $, box } from "./dom.js";
import { parse } from "./messages.js";

const KEY = "guide";
// Where the guide lies above the room and would leave too little of it.
const LOW = matchMedia("(max-height: 35rem) and (max-width: 75rem)");

export function showGuide(html) {
  const slot = $("#guide-slot");
  if (!slot) return;
  const focused = slot.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  slot.replaceChildren(parse(html));
  toStep();
  if (focused) ($(`[data-act="${focused}"]`, slot) ?? box).focus({ preventScroll: true });
}

function toStep() {
  $(".guide-step.now")?.scrollIntoView({ block: "nearest" });
}

export function become(button) {
  $("#switch-person").value = button.dataset.person;
  $("#switch").requestSubmit();
}

function fold(folded) {
  $("#guide").classList.toggle("folded", folded);
  $("[data-act='guide-fold']").setAttribute("aria-expanded", String(!folded));
  if (!folded) toStep();
}

export function toggleGuide() {
  const folded = !$("#guide").classList.contains("folded");
  sessionStorage.setItem(KEY, folded ? "folded" : "open");
  fold(folded);
}

// Folded or open as it was left; untouched, it follows the size of the window.
export function startGuide() {
  if (!$("#guide")) return;
  const follow = () => fold((sessionStorage.getItem(KEY) ?? (LOW.matches ? "folded" : "open")) === "folded");
  LOW.addEventListener("change", follow);
  follow();
}
