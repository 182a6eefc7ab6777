// The list on the left: incidents, rooms, and what is unread in them.

import { $, $$, body, room } from "./dom.js";
import { parse } from "./messages.js";
import { toast } from "./toast.js";

export function showSidebar(html) {
  const focused = document.activeElement?.closest("#sidebar .room")?.dataset.room;
  const before = new Set($$("#sidebar .incident").map((link) => link.dataset.incident));
  $("#sidebar").replaceChildren(parse(html));
  rove();
  if (focused) $(`#sidebar .room[data-room="${CSS.escape(focused)}"]`)?.focus();
  showUnread();
  for (const link of $$("#sidebar a.incident[href]").filter((one) => !before.has(one.dataset.incident))) {
    if (link.dataset.room === room) continue;
    const title = `INC-${link.dataset.incident} is open: ${$(".title", link).textContent}`;
    toast(title, false, { href: link.href, text: "Go there" });
  }
}

// One stop for the tab key; arrows do the rest.
export function rove() {
  const links = $$("#sidebar a.room[href]");
  const first = links.find((link) => link.classList.contains("here")) ?? links[0];
  links.forEach((link) => (link.tabIndex = link === first ? 0 : -1));
}

// On a small screen the list slides in over the room.
export function slide(open) {
  body.classList.toggle("sidebar-open", open);
  $(".menu-button").setAttribute("aria-expanded", String(open));
  if (open) ($("#sidebar .room.here") ?? $("#sidebar .room")).focus();
}

const counts = JSON.parse(sessionStorage.getItem("unread") ?? "{}");
delete counts[room];

export function unread(id) {
  counts[id] = (counts[id] ?? 0) + 1;
  showUnread();
}

export function showUnread() {
  sessionStorage.setItem("unread", JSON.stringify(counts));
  let all = 0;
  for (const link of $$("#sidebar .room")) {
    const count = counts[link.dataset.room] ?? 0;
    const badge = $(".unread", link);
    badge.hidden = count === 0;
    badge.textContent = count > 99 ? "99+" : String(count);
    badge.setAttribute("aria-label", `${count} unread`);
    all += count;
  }
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (all) document.title = `(${all}) ${document.title}`;
}
