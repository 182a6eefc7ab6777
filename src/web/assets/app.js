// The life of the page. Everything shown comes as finished, escaped HTML from the server; this file only puts it in
// place, sends what people do, and never builds HTML from text.
"use strict";

document.documentElement.classList.add("js");

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const body = document.body;
const { room, user, person, command, chat } = body.dataset;
const pageToken = $('meta[name="orderly-token"]').content;
const tab = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
const list = $("#messages");
const box = $("#composer-text");
const composer = $("#composer");
const here = (id = room) => `/api/rooms/${encodeURIComponent(id)}`;
const newKey = () => `${tab}-${++newKey.count}`;
newKey.count = 0;

// ---- Talking to the server -----------------------------------------------------------------------------------------

class Refusal extends Error {
  constructor(status, answer) {
    super(answer?.error ?? answer?.message?.fallback ?? "The server gave no answer. Nothing you wrote is lost; try again.");
    this.status = status;
    this.field = answer?.field;
  }
}

async function call(method, path, data, headers = {}) {
  const sent = data instanceof Blob ? data : data === undefined ? undefined : JSON.stringify(data);
  const type = data instanceof Blob ? data.type || "application/octet-stream" : "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      body: sent,
      headers: { "content-type": type, "x-orderly-token": pageToken, "x-orderly-tab": tab, ...headers },
    });
  } catch {
    throw new Refusal(0);
  }
  const json = (response.headers.get("content-type") ?? "").startsWith("application/json");
  const answer = json ? await response.json() : await response.text();
  if (!response.ok) throw new Refusal(response.status, json ? answer : undefined);
  return { status: response.status, answer };
}

const attempt = async (work) => {
  try {
    return await work();
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    toast(problem.message, true);
    return null;
  }
};

function toast(words, bad = false, link) {
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
  setTimeout(() => note.remove(), bad ? 12000 : 7000);
}

// ---- Showing messages ----------------------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const GROUP_MS = 5 * 60 * 1000;

function dress(root) {
  for (const time of $$("time", root)) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.textContent = (time.classList.contains("moment") ? full : clock).format(at);
  }
  for (const one of $$(".reaction", root)) {
    one.setAttribute("aria-pressed", String(one.dataset.users.split(" ").includes(user)));
  }
  for (const one of $$(".mention", root)) one.classList.toggle("me-too", one.dataset.person === person);
}

function regroup(root) {
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

const parse = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  dress(holder.content);
  return holder.content;
};

const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 80;
const toEnd = () => {
  list.scrollTop = list.scrollHeight;
  $("#to-end").hidden = true;
};

function place(html) {
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

function append(holder, message) {
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

// ---- Live ----------------------------------------------------------------------------------------------------------

let mark = body.dataset.mark;
let source = null;
let downTimer = 0;

function connect() {
  source?.close();
  const query = new URLSearchParams({ room, after: mark, tab });
  source = new EventSource(`/events?${query}`);
  const on = (name, act) => source.addEventListener(name, (event) => {
    if (event.lastEventId) mark = event.lastEventId;
    act(event.data);
  });
  source.addEventListener("open", connected);
  source.addEventListener("error", () => {
    downTimer ||= setTimeout(() => ($("#connection").hidden = false), 1200);
    if (source.readyState === EventSource.CLOSED) setTimeout(again, 2000);
  });
  on("message", place);
  on("whisper", (html) => {
    const whisper = $(".message", parse(html));
    if (!$(`[data-message="${whisper.dataset.message}"]`)) append(list, whisper);
  });
  on("pinned", (html) => {
    $("#pinned-slot").replaceChildren(parse(html));
    keepFold();
  });
  on("sidebar", (html) => {
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
  });
  on("unread", (data) => unread(JSON.parse(data).room));
  on("form", openForm);
  on("reload", reload);
  on("rest", () => source.close());
}

function connected() {
  clearTimeout(downTimer);
  downTimer = 0;
  $("#connection").hidden = true;
}

async function again() {
  try {
    const answer = await fetch("/api/rooms");
    if (answer.status === 401) return location.assign("/");
  } catch {
    return setTimeout(again, 2000);
  }
  connect();
}

function reload() {
  source.close();
  const recent = JSON.parse(sessionStorage.getItem("reloads") ?? "[]").filter((at) => Date.now() - at < 10000);
  sessionStorage.setItem("reloads", JSON.stringify([...recent, Date.now()]));
  if (recent.length < 3) location.reload();
  else $("#connection").hidden = false;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && source?.readyState === EventSource.CLOSED) connect();
});
window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

const counts = JSON.parse(sessionStorage.getItem("unread") ?? "{}");
delete counts[room];
function unread(id) {
  counts[id] = (counts[id] ?? 0) + 1;
  showUnread();
}
function showUnread() {
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

// ---- Writing -------------------------------------------------------------------------------------------------------

const draftKey = `draft:${chat}:${user}:${room}`;
let pendingKey = null;

function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 224)}px`;
}

function setBox(text) {
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

async function send(area, thread) {
  const text = area.value;
  if (!text.trim()) return;
  pendingKey = pendingKey?.text === text ? pendingKey : { text, key: newKey() };
  const sent = await attempt(() =>
    call("POST", `${here()}/messages`, { text, key: pendingKey.key, ...(thread ? { thread: Number(thread) } : {}) }));
  if (!sent) return;
  pendingKey = null;
  if (area.value === text) area.value = "";
  grow(area);
  if (area === box) {
    sessionStorage.removeItem(draftKey);
    composer.classList.remove("command");
    closeComplete();
    toEnd();
  }
  if (text.startsWith(`/${command}`)) guide?.typed(text);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.classList.contains("composer")) {
    event.preventDefault();
    send($("textarea", form), form.dataset.thread);
  } else if (form.closest("#forms")) {
    event.preventDefault();
    submitForm(form.closest("dialog"));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  const area = event.target.closest?.(".composer textarea");
  if (!area || (area === box && completing() && chosen >= 0)) return;
  event.preventDefault();
  area.form.requestSubmit();
});

document.addEventListener("input", (event) => {
  if (event.target.matches(".composer textarea")) grow(event.target);
});

box.addEventListener("input", () => {
  sessionStorage.setItem(draftKey, box.value);
  composer.classList.toggle("command", box.value.startsWith("/"));
  askComplete();
});

async function upload(file, thread) {
  const max = Number(body.dataset.fileMax);
  if (file.size > max) return toast(`${file.name} is larger than the ${Math.round(max / 1e6)} MB a file may have.`, true);
  const query = new URLSearchParams({ name: file.name || "pasted.png", ...(thread ? { thread } : {}) });
  if (await attempt(() => call("POST", `${here()}/files?${query}`, file))) toast(`${file.name || "The file"} is in the room.`);
}
$("#file").addEventListener("change", async (event) => {
  for (const file of event.target.files) await upload(file);
  event.target.value = "";
});
document.addEventListener("paste", (event) => {
  const area = event.target.closest?.(".composer textarea");
  if (!area || !event.clipboardData.files.length) return;
  event.preventDefault();
  for (const file of event.clipboardData.files) upload(file, area.form.dataset.thread);
});
let dragDepth = 0;
document.addEventListener("dragenter", (event) => {
  if (event.dataTransfer?.types.includes("Files")) body.classList.toggle("drop", ++dragDepth > 0);
});
document.addEventListener("dragleave", (event) => {
  if (event.dataTransfer?.types.includes("Files")) body.classList.toggle("drop", --dragDepth > 0);
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  dragDepth = 0;
  body.classList.remove("drop");
  for (const file of event.dataTransfer?.files ?? []) upload(file);
});

// ---- Completing commands -------------------------------------------------------------------------------------------

const options = $("#complete");
let chosen = -1;
let asked = 0;
const completing = () => !options.hidden;

function closeComplete() {
  asked++;
  options.hidden = true;
  chosen = -1;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

async function askComplete() {
  const own = ++asked;
  const text = box.value;
  const name = `/${command}`;
  if (!text.startsWith("/") || text.includes("\n")) return closeComplete();
  if (!text.includes(" ")) {
    return name.startsWith(text.toLowerCase()) ? showComplete([{ whole: `${name} `, label: name, about: "Open, or run the response" }]) : closeComplete();
  }
  if (!text.toLowerCase().startsWith(`${name} `)) return closeComplete();
  const typed = text.slice(name.length + 1);
  let found;
  try {
    found = (await call("GET", `/api/complete?${new URLSearchParams({ room, typed })}`)).answer.completions;
  } catch {
    return; // Completion is a help; typing goes on without it.
  }
  if (own !== asked || document.activeElement !== box) return;
  showComplete(found.map(({ text: full, about }) => {
    const goesOn = full.toLowerCase().startsWith(typed.trimStart().toLowerCase());
    const line = goesOn ? full : typed.replace(/\S*$/, "") + full;
    return { whole: `${name} ${line}${/[\s="]$/.test(line) ? "" : " "}`, label: full, about };
  }));
}

function showComplete(found) {
  if (!found.length) return closeComplete();
  options.replaceChildren(...found.map(({ whole, label, about }, index) => {
    const option = document.createElement("li");
    option.id = `complete-${index}`;
    option.role = "option";
    option.dataset.whole = whole;
    option.setAttribute("aria-selected", "false");
    const code = document.createElement("code");
    code.textContent = label;
    const words = document.createElement("span");
    words.textContent = about;
    option.append(code, words);
    return option;
  }));
  chosen = -1;
  options.hidden = false;
  box.setAttribute("aria-expanded", "true");
  box.removeAttribute("aria-activedescendant");
}

function choose(index) {
  const all = $$("li", options);
  chosen = (index + all.length) % all.length;
  all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
  all[chosen].scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", all[chosen].id);
}

function take(option) {
  setBox(option.dataset.whole);
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

options.addEventListener("mousedown", (event) => {
  event.preventDefault();
  const option = event.target.closest("li");
  if (option) take(option);
});
box.addEventListener("blur", closeComplete);
box.addEventListener("keydown", (event) => {
  if (completing()) {
    const keys = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen < 0 ? -1 : chosen - 1),
      Tab: () => take($$("li", options)[Math.max(chosen, 0)]),
      Enter: () => take($$("li", options)[chosen]),
      Escape: closeComplete,
    };
    const act = keys[event.key];
    if (!act || event.shiftKey || (event.key === "Enter" && chosen < 0)) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  } else if (event.key === "ArrowUp" && box.value === "") {
    const own = $$(`.message[data-author="${CSS.escape(user)}"]:not(.deleted)`, list).pop();
    if (own) {
      event.preventDefault();
      edit(own);
    }
  }
});

// ---- What can be done with a message -------------------------------------------------------------------------------

const pathOf = (message) => `${here(message.dataset.room)}/messages/${message.dataset.message}`;

async function react(message, emoji) {
  const own = $$(".reaction", message).find((one) => one.dataset.emoji === emoji);
  const there = own?.dataset.users.split(" ").includes(user);
  await attempt(() => call(there ? "DELETE" : "PUT", `${pathOf(message)}/reactions/${encodeURIComponent(emoji)}`));
}

async function press(button) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const message = button.closest(".message");
  const done = await attempt(() => call("POST", `${pathOf(message)}/presses`, { button: button.dataset.press }));
  button.removeAttribute("aria-busy");
  if (done && button.dataset.do === "run") guide?.did(button.dataset.line);
}

async function edit(message) {
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

const menu = $("#menu");
let menuFor = null;

function openMenu(message, button) {
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

function closeMenu() {
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

// ---- Threads -------------------------------------------------------------------------------------------------------

async function openThread(id) {
  const answer = await attempt(() => call("GET", `/rooms/${encodeURIComponent(room)}/threads/${id}`));
  if (!answer) return;
  $("#thread-slot").replaceChildren(parse(answer.answer));
  body.classList.add("has-thread");
  history.replaceState(null, "", `?thread=${id}`);
  regroup($("#thread-messages"));
  $("#thread-messages").scrollTop = $("#thread-messages").scrollHeight;
  $("#thread textarea").focus();
}

function closeThread() {
  const root = $("#thread")?.dataset.root;
  $("#thread-slot").replaceChildren();
  body.classList.remove("has-thread");
  history.replaceState(null, "", location.pathname);
  ($(`#messages [data-message="${root}"]`) ?? box).focus({ preventScroll: true });
}

// ---- Forms ---------------------------------------------------------------------------------------------------------

const pad = (number) => String(number).padStart(2, "0");
const localStamp = (at) =>
  `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;

function openForm(html) {
  const dialog = $("dialog", parse(html));
  if ($(`#${dialog.id}`)) return;
  for (const input of $$("input[data-value]", dialog)) {
    const at = new Date(input.dataset.value);
    if (!Number.isNaN(at.getTime())) input.value = localStamp(at);
  }
  dialog.dataset.key = newKey();
  dialog.addEventListener("close", () => {
    dialog.remove();
    box.focus();
  });
  $("#forms").append(dialog);
  dialog.showModal();
  $(".field input, .field select, .field textarea", dialog)?.focus();
}

function fieldValue(field) {
  const inputs = $$("input, select, textarea", field);
  switch (field.dataset.kind) {
    case "several": return inputs.filter((input) => input.checked).map((input) => input.value).join(",");
    case "tick": return inputs[0].checked ? "yes" : "";
    case "date_time": return inputs[0].value ? new Date(inputs[0].value).toISOString() : "";
    default: return inputs[0].value;
  }
}

function markField(dialog, name, words) {
  const field = name && $(`.field[data-field="${CSS.escape(name)}"]`, dialog);
  if (!field) {
    $(".form-error", dialog).textContent = words;
    return;
  }
  field.classList.add("wrong");
  $(".field-error", field).textContent = words;
  const input = $("input, select, textarea", field);
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

function clearMarks(dialog) {
  $$(".field-error, .form-error", dialog).forEach((one) => (one.textContent = ""));
  $$(".field.wrong", dialog).forEach((one) => one.classList.remove("wrong"));
  $$("[aria-invalid]", dialog).forEach((one) => one.removeAttribute("aria-invalid"));
}

async function submitForm(dialog) {
  const button = $('button[type="submit"]', dialog);
  if (button.getAttribute("aria-busy") === "true") return;
  clearMarks(dialog);
  const values = {};
  for (const field of $$(".field", dialog)) {
    const value = fieldValue(field);
    if (value.trim()) values[field.dataset.field] = value;
    else if ($("[required]", field)) return markField(dialog, field.dataset.field, "This is needed.");
  }
  const { path, fixed, key } = dialog.dataset;
  button.setAttribute("aria-busy", "true");
  try {
    const { status, answer } = await call("POST", `${here(dialog.dataset.room)}/forms?wait=decided`, {
      path, fixed: JSON.parse(fixed), values, key,
    });
    dialog.close();
    const words = status === 202 ? "Taken. It is still being worked on." : answer.message?.fallback;
    if (words) toast(words);
    guide?.did(path);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    // A refusal was decided: the next try is another one. Anything else was not, and may be sent again as it is.
    if (problem.status === 422) dialog.dataset.key = newKey();
    markField(dialog, problem.field, problem.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// Little room (a phone, a high zoom): what is not the conversation starts folded.
const small = () => innerHeight < 560 || innerWidth < 500;

// The card stays as its reader left it, folded or open, in every room of this sitting.
function keepFold() {
  const card = $("#pinned");
  if (!card) return;
  card.open = (sessionStorage.getItem("card") ?? (small() ? "folded" : "open")) === "open";
  $("summary", card).addEventListener("click", () => sessionStorage.setItem("card", card.open ? "folded" : "open"));
}

// One stop for the tab key in the room list; arrows do the rest.
function rove() {
  const links = $$("#sidebar a.room[href]");
  const first = links.find((link) => link.classList.contains("here")) ?? links[0];
  links.forEach((link) => (link.tabIndex = link === first ? 0 : -1));
}

// ---- Clicks and keys -----------------------------------------------------------------------------------------------

const narrow = matchMedia("(max-width: 50rem)");
function sidebar(open) {
  body.classList.toggle("sidebar-open", open);
  $(".menu-button").setAttribute("aria-expanded", String(open));
  if (open) ($("#sidebar .room.here") ?? $("#sidebar .room")).focus();
}

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
  menu: (button, message) => (menuFor?.button === button ? closeMenu() : openMenu(message, button)),
  thread: (_, message) => openThread(message.dataset.message),
  "close-thread": closeThread,
  dismiss: async (_, message) => {
    await attempt(() => call("DELETE", `/api/whispers/${message.dataset.message.slice(1)}`));
    message.remove();
    regroup(list);
    box.focus();
  },
  cancel: (button) => button.closest("dialog").close(),
  sidebar: () => sidebar(!body.classList.contains("sidebar-open")),
  theme,
  keys: () => $("#keys").showModal(),
  "to-end": toEnd,
  "guide-say": (button) => {
    setBox(button.textContent);
    box.focus();
    closeComplete();
  },
  "guide-next": () => guide?.go(1),
  "guide-back": () => guide?.go(-1),
  "guide-switch": (button) => {
    $("#switch-person").value = button.dataset.person;
    $("#switch").requestSubmit();
  },
  "guide-fold": (button) => {
    const folded = $("#guide").classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (menuFor && !menu.contains(event.target) && button !== menuFor.button) closeMenu();
  if (narrow.matches && body.classList.contains("sidebar-open") && !event.target.closest(".sidebar, .menu-button")) sidebar(false);
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
    if (body.classList.contains("sidebar-open")) sidebar(false);
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
    g: () => (narrow.matches ? sidebar(true) : ($("#sidebar .room.here") ?? $("#sidebar .room")).focus()),
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
  if (added.length < 60) link.remove();
  else link.href = `?before=${added[0].dataset.message}`;
  regroup(list);
  list.scrollTop += list.scrollHeight - height;
}
$("#older")?.addEventListener("click", (event) => {
  event.preventDefault();
  older();
});
list.addEventListener("scroll", () => {
  if (atEnd()) $("#to-end").hidden = true;
  if (list.scrollTop < 120 && list.scrollHeight > list.clientHeight) older();
}, { passive: true });

// ---- The guide of the demo -----------------------------------------------------------------------------------------

const guide = $("#guide") && (() => {
  const steps = $$(".guide-step");
  const key = `guide:${chat}`;
  let at = Math.min(Number(localStorage.getItem(key) ?? 0), steps.length - 1);
  for (const step of steps) {
    if (step.dataset.person && step.dataset.person !== person) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button plain switch-to";
      button.dataset.act = "guide-switch";
      button.dataset.person = step.dataset.person;
      button.textContent = `Switch to ${step.dataset.personName || step.dataset.person}`;
      step.append(button);
    }
  }
  const show = () => {
    localStorage.setItem(key, String(at));
    steps.forEach((step, index) => {
      step.classList.toggle("now", index === at);
      step.classList.toggle("done", index < at);
      if (index === at) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    });
    $("#guide-count").textContent = `${at + 1} of ${steps.length}`;
    steps[at].scrollIntoView({ block: "nearest" });
  };
  const words = (text) => text.trim().toLowerCase().split(/\s+/);
  const isWord = (word) => /^[a-z-]+$/.test(word ?? "");
  if (innerHeight < 560) $("[data-act='guide-fold']").click();
  show();
  return {
    go(by) {
      at = Math.min(Math.max(at + by, 0), steps.length - 1);
      show();
    },
    // Moves on when what the step asks for was typed.
    typed(text) {
      const wanted = words(steps[at].dataset.command);
      const typed = words(text);
      // The third word counts when it names a command too (`action approve`), not when it is data.
      const count = isWord(wanted[2]) ? 3 : 2;
      if (wanted[0] && wanted.slice(0, count).join(" ") === typed.slice(0, count).join(" ")) this.go(1);
    },
    // The same for a button or a form: those name the command by its whole path, where a person types `approve`.
    did(line) {
      const [, name, next] = words(steps[at].dataset.command);
      const [first, second] = words(line);
      const whole = first === name && (second === next || !isWord(second) || !isWord(next));
      if (name && (whole || second === name)) this.go(1);
    },
  };
})();

// ---- Start ---------------------------------------------------------------------------------------------------------

dress(document);
regroup(list);
if ($("#thread-messages")) regroup($("#thread-messages"));
showUnread();
box.value = box.value || sessionStorage.getItem(draftKey) || "";
composer.classList.toggle("command", box.value.startsWith("/"));
grow(box);
rove();
keepFold();
const wanted = /^#m(\d+)$/.exec(location.hash);
const target = wanted && $(`#messages [data-message="${wanted[1]}"]`);
if (target) {
  target.classList.add("target");
  target.scrollIntoView({ block: "center" });
} else if (!$(".past-note:not(#archived)")) {
  toEnd();
}
if (matchMedia("(hover: hover)").matches && !target) box.focus({ preventScroll: true });
connect();
