// What can be done with a message: react, press its buttons, edit it, and the rest in its menu.

import { $, $$, box, user } from "./dom.js";
import { attempt, call, here } from "./server.js";
import { toast } from "./toast.js";

const pathOf = (message) => `${here(message.dataset.room)}/messages/${message.dataset.message}`;

export async function react(message, emoji) {
  const own = $$(".reaction", message).find((one) => one.dataset.emoji === emoji);
  const there = own?.dataset.users.split(" ").includes(user);
  await attempt(() => call(there ? "DELETE" : "PUT", `${pathOf(message)}/reactions/${encodeURIComponent(emoji)}`));
}

export async function press(button) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const message = button.closest(".message");
  await attempt(() => call("POST", `${pathOf(message)}/presses`, { button: button.dataset.press }));
  button.removeAttribute("aria-busy");
}

export async function edit(message) {
  const found = await attempt(() => call("GET", pathOf(message)));
  const text = found?.answer.body.text;
  if (text === undefined || $(".edit-box", message)) return;
  const shown = $(".body", message);
  const holder = document.createElement("form");
  holder.className = "edit-box";
  const area = document.createElement("textarea");
  area.value = text;
  area.rows = Math.min(10, text.split("\n").length + 1);
  area.setAttribute("aria-label", "Change your message");
  const row = document.createElement("div");
  const make = (words, type, style) => {
    const button = document.createElement("button");
    button.type = type;
    button.className = `button ${style}`;
    button.textContent = words;
    return button;
  };
  const cancel = make("Cancel", "button", "plain");
  row.append(make("Save", "submit", "primary"), cancel);
  holder.append(area, row);
  const close = () => {
    holder.replaceWith(shown);
    box.focus();
  };
  cancel.addEventListener("click", close);
  holder.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await attempt(() => call("PATCH", pathOf(message), { text: area.value }))) close();
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) holder.requestSubmit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  shown.replaceWith(holder);
  area.focus();
}

// ---- The menu of a message -----------------------------------------------------------------------------------------

const menu = $("#menu");
let menuFor = null;

// A click on the button of an open menu closes it.
export const toggleMenu = (message, button) => (menuFor?.button === button ? closeMenu() : openMenu(message, button));

document.addEventListener("click", (event) => {
  if (menuFor && !menu.contains(event.target) && event.target.closest("[data-act]") !== menuFor.button) closeMenu();
}, { capture: true });

export function openMenu(message, button) {
  closeMenu();
  menuFor = { message, button };
  message.classList.add("menu-open");
  const own = message.dataset.author === user;
  $$(".own", menu).forEach((item) => (item.hidden = !own));
  menu.hidden = false;
  const spot = (button ?? message).getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = Math.min(Math.max(8, spot.right - size.width), innerWidth - size.width - 8);
  const below = spot.bottom + 4;
  menu.style.left = `${left}px`;
  menu.style.top = `${below + size.height < innerHeight ? below : Math.max(8, spot.top - size.height - 4)}px`;
  $("button:not([hidden])", menu).focus();
}

export function closeMenu() {
  if (!menuFor) return;
  menu.hidden = true;
  menuFor.message.classList.remove("menu-open");
  menuFor = null;
}

menu.addEventListener("keydown", (event) => {
  const items = $$("button", menu).filter((item) => !item.hidden);
  const at = items.indexOf(document.activeElement);
  const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (move) items[(at + move + items.length) % items.length].focus();
  else if (event.key === "Home") items[0].focus();
  else if (event.key === "End") items.at(-1).focus();
  else if (event.key === "Escape" || event.key === "Tab") {
    const { message } = menuFor;
    closeMenu();
    message.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
});

menu.addEventListener("click", async (event) => {
  const item = event.target.closest("[data-pick]");
  if (!item || !menuFor) return;
  const { message } = menuFor;
  closeMenu();
  message.focus({ preventScroll: true });
  switch (item.dataset.pick) {
    case "react": return react(message, item.dataset.emoji);
    case "edit": return edit(message);
    case "delete":
      if (confirm("Delete this message for everybody? The incident's timeline keeps what was marked.")) {
        await attempt(() => call("DELETE", pathOf(message)));
      }
      return;
    case "link": {
      const link = `${location.origin}/rooms/${encodeURIComponent(message.dataset.room)}#m${message.dataset.message}`;
      return navigator.clipboard.writeText(link).then(() => toast("The link is copied."), () => toast(link));
    }
    case "menu":
      await attempt(() => call("POST", `${pathOf(message)}/presses`, { menu: item.dataset.menu }));
  }
});
