// Clicks and keys: one place where each finds what it does.

import { openMenu, press, react, toggleMenu } from "./acts.js";
import { say } from "./complete.js";
import { $, $$, body, box, list, narrow, setBox } from "./dom.js";
import { become, toggleGuide } from "./guide.js";
import { regroup, toEnd } from "./messages.js";
import { slide } from "./rooms.js";
import { attempt, call } from "./server.js";
import { closeThread, openThread } from "./threads.js";

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const root = document.documentElement;
  const next = (root.dataset.theme ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=strict`;
}

const acts = {
  react: (button, message) => react(message, button.dataset.emoji),
  press: (button) => press(button),
  menu: (button, message) => toggleMenu(message, button),
  thread: (_, message) => openThread(message.dataset.message),
  "close-thread": closeThread,
  dismiss: async (_, message) => {
    await attempt(() => call("DELETE", `/api/whispers/${message.dataset.message.slice(1)}`));
    message.remove();
    regroup(list);
    box.focus();
  },
  cancel: (button) => button.closest("dialog").close(),
  sidebar: () => slide(!body.classList.contains("sidebar-open")),
  theme,
  keys: () => $("#keys").showModal(),
  "to-end": toEnd,
  say,
  "guide-switch": become,
  "guide-fold": toggleGuide,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (narrow.matches && body.classList.contains("sidebar-open") && !event.target.closest(".sidebar, .menu-button")) slide(false);
  if (!button || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  acts[button.dataset.act]?.(button, button.closest(".message"));
});

function move(items, current, key) {
  const at = items.indexOf(current);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[key];
  if (to === undefined || !items[to]) return false;
  items.forEach((item) => (item.tabIndex = -1));
  items[to].tabIndex = 0;
  items[to].focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  const target = event.target;
  const typing = target.matches("input, textarea, select") || target.closest("dialog");
  if (event.key === "Escape" && !target.closest("dialog")) {
    if (body.classList.contains("sidebar-open")) slide(false);
    else if ($("#thread")) closeThread();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const link = target.closest("#sidebar .room");
  const message = target.matches(".message") ? target : null;
  const keys = {
    "/": () => {
      box.focus();
      if (!box.value) setBox("/");
    },
    "?": () => $("#keys").showModal(),
    g: () => (narrow.matches ? slide(true) : ($("#sidebar .room.here") ?? $("#sidebar .room")).focus()),
    r: () => message && !message.dataset.thread && openThread(message.dataset.message),
    m: () => message && $(".tools [data-act='menu']", message) && openMenu(message),
  };
  if (link && move($$("#sidebar a.room[href]").filter((one) => one.offsetParent), link, event.key)) event.preventDefault();
  else if (message && move($$(":scope > .message", message.parentElement), message, event.key)) event.preventDefault();
  else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

$("#switch-person")?.addEventListener("change", () => $("#switch").requestSubmit());
