// The live stream: every change comes as the HTML that replaces or follows what is shown.

import { showCard } from "./card.js";
import { $, body, list, room } from "./dom.js";
import { openForm } from "./forms.js";
import { showGuide } from "./guide.js";
import { append, parse, place } from "./messages.js";
import { showSidebar, unread } from "./rooms.js";
import { tab } from "./server.js";

// A short break is not worth a word.
const PATIENCE_MS = 1200;
const AGAIN_MS = 2000;
// More reloads than this within the time would be a loop.
const RELOADS = 3;
const RELOADS_WITHIN_MS = 10000;

let mark = body.dataset.mark;
let source = null;
let downTimer = 0;

export function connect() {
  source?.close();
  const query = new URLSearchParams({ room, after: mark, tab });
  source = new EventSource(`/events?${query}`);
  const on = (name, act) => source.addEventListener(name, (event) => {
    if (event.lastEventId) mark = event.lastEventId;
    act(event.data);
  });
  source.addEventListener("open", connected);
  source.addEventListener("error", () => {
    downTimer ||= setTimeout(() => ($("#connection").hidden = false), PATIENCE_MS);
    if (source.readyState === EventSource.CLOSED) setTimeout(again, AGAIN_MS);
  });
  on("message", place);
  on("whisper", (html) => {
    const whisper = $(".message", parse(html));
    if (!$(`[data-message="${whisper.dataset.message}"]`)) append(list, whisper);
  });
  on("pinned", showCard);
  on("sidebar", showSidebar);
  on("guide", showGuide);
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
    return setTimeout(again, AGAIN_MS);
  }
  connect();
}

function reload() {
  source.close();
  const recent = JSON.parse(sessionStorage.getItem("reloads") ?? "[]").filter((at) => Date.now() - at < RELOADS_WITHIN_MS);
  sessionStorage.setItem("reloads", JSON.stringify([...recent, Date.now()]));
  if (recent.length < RELOADS) location.reload();
  else $("#connection").hidden = false;
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && source?.readyState === EventSource.CLOSED) connect();
});
window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
