// Messages: put in place, grouped, replaced. Everything comes as finished, escaped HTML from the server.

import { $, $$, body, list, person, room, user } from "./dom.js";
import { attempt, call } from "./server.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
// Messages of one person within this time stand together under one name.
const GROUP_MS = 5 * 60 * 1000;
// What the server sends for one page back; fewer means that there are no more.
const PAGE = 60;

export function dress(root) {
  for (const time of $$("time", root)) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.textContent = (time.classList.contains("moment") ? full : clock).format(at);
  }
  for (const one of $$(".reaction", root)) {
    one.setAttribute("aria-pressed", String(one.dataset.users.split(" ").includes(user)));
  }
  for (const one of $$(".mention", root)) one.classList.toggle("me-too", one.dataset.person === person);
}

export function regroup(root) {
  $$(".day", root).forEach((day) => day.remove());
  let before = null;
  for (const message of $$(":scope > .message", root)) {
    const at = new Date(message.dataset.at);
    const sameDay = before && new Date(before.dataset.at).toDateString() === at.toDateString();
    if (!sameDay && root === list) {
      const day = document.createElement("div");
      day.className = "day";
      day.textContent = at.toDateString() === new Date().toDateString() ? "Today" : dayName.format(at);
      message.before(day);
    }
    const follows = sameDay && before.dataset.author === message.dataset.author
      && before.classList.contains("whisper") === message.classList.contains("whisper")
      && at - new Date(before.dataset.at) < GROUP_MS;
    message.classList.toggle("follows", Boolean(follows));
    before = message;
  }
  const last = before;
  $$(":scope > .message[tabindex='0']", root).forEach((message) => (message.tabIndex = -1));
  if (last) last.tabIndex = 0;
}

export const parse = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  dress(holder.content);
  return holder.content;
};

// Whether its reader follows the room; kept, because the room may get smaller or larger around what is read.
let following = true;

export const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 80;
export const toEnd = () => {
  list.scrollTop = list.scrollHeight;
  $("#to-end").hidden = true;
};

export function place(html) {
  const message = $(".message", parse(html));
  if (!message) return;
  const { message: id, rev, thread } = message.dataset;
  const shown = $$(`[data-message="${CSS.escape(id)}"]`);
  for (const old of shown) {
    if (Number(old.dataset.rev) > Number(rev)) continue;
    swap(old, message.cloneNode(true));
  }
  const holder = thread ? $(`#thread[data-root="${CSS.escape(thread)}"] #thread-messages`) : list;
  if (!holder || body.querySelector(".past-note:not(#archived)")) return regroup(list);
  if (!shown.some((old) => holder.contains(old)) && !holder.querySelector(`[data-message="${CSS.escape(id)}"]`)) {
    append(holder, message);
  } else {
    regroup(holder);
  }
}

export function append(holder, message) {
  const follow = holder !== list || atEnd() || message.dataset.author === user;
  $(".empty", holder)?.remove();
  message.classList.add("fresh");
  const id = Number(message.dataset.message);
  const after = $$(":scope > .message", holder).find((one) => Number(one.dataset.message) > id);
  if (after) after.before(message);
  else holder.append(message);
  regroup(holder);
  if (!follow) $("#to-end").hidden = false;
  else if (holder === list) toEnd();
  else holder.scrollTop = holder.scrollHeight;
}

function swap(old, fresh) {
  const stuck = list.contains(old) && atEnd();
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const label = focus && [focus.dataset.act, focus.dataset.press, focus.dataset.emoji];
  $$("details", fresh).forEach((one, index) => {
    if ($$("details", old)[index]?.open) one.open = true;
  });
  const editing = $(".edit-box", old);
  old.replaceWith(fresh);
  if (editing && !fresh.classList.contains("deleted")) $(".body", fresh)?.replaceWith(editing);
  if (editing) $("textarea", editing).focus();
  else if (focus) {
    const same = $$("[data-act]", fresh).find((one) =>
      one.dataset.act === label[0] && one.dataset.press === label[1] && one.dataset.emoji === label[2]);
    (same ?? fresh).focus({ preventScroll: true });
  }
  if (stuck) toEnd();
}

// ---- Earlier messages ----------------------------------------------------------------------------------------------

async function older() {
  const link = $("#older");
  if (!link || link.dataset.busy) return;
  link.dataset.busy = "yes";
  const before = new URL(link.href).searchParams.get("before");
  const answer = await attempt(() => call("GET", `/rooms/${encodeURIComponent(room)}/older?before=${before}`));
  delete link.dataset.busy;
  if (!answer) return;
  const added = $$(".message", parse(answer.answer));
  const height = list.scrollHeight;
  link.after(...added);
  if (added.length < PAGE) link.remove();
  else link.href = `?before=${added[0].dataset.message}`;
  regroup(list);
  list.scrollTop += list.scrollHeight - height;
}

$("#older")?.addEventListener("click", (event) => {
  event.preventDefault();
  older();
});
list.addEventListener("scroll", () => {
  following = atEnd();
  if (following) $("#to-end").hidden = true;
  if (list.scrollTop < 120 && list.scrollHeight > list.clientHeight) older();
}, { passive: true });

new ResizeObserver(() => following && toEnd()).observe(list);
