// Writing: the message box, drafts, files.

import { $, body, box, chat, command, composer, room, user } from "./dom.js";
import { toEnd } from "./messages.js";
import { attempt, call, here, newKey } from "./server.js";
import { toast } from "./toast.js";

const draftKey = `draft:${chat}:${user}:${room}`;
// What was sent and not answered yet: sent again as it is, it stands in the room once.
let pending = null;

export function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 224)}px`;
}

// What was being written before the page went away.
export function restoreDraft() {
  box.value = box.value || sessionStorage.getItem(draftKey) || "";
  composer.classList.toggle("command", box.value.startsWith("/"));
  grow(box);
}

async function send(area, thread) {
  const text = area.value;
  if (!text.trim()) return;
  pending = pending?.text === text ? pending : { text, key: newKey() };
  const sent = await attempt(() =>
    call("POST", `${here()}/messages`, { text, key: pending.key, ...(thread ? { thread: Number(thread) } : {}) }));
  if (!sent) return;
  pending = null;
  if (area.value === text) area.value = "";
  area.dispatchEvent(new Event("input", { bubbles: true }));
  if (area === box) toEnd();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.classList.contains("composer")) return;
  event.preventDefault();
  send($("textarea", form), form.dataset.thread);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  const area = event.target.closest?.(".composer textarea");
  if (!area) return;
  event.preventDefault();
  area.form.requestSubmit();
});

document.addEventListener("input", (event) => {
  if (event.target.matches(".composer textarea")) grow(event.target);
});

box.addEventListener("input", () => {
  if (box.value) sessionStorage.setItem(draftKey, box.value);
  else sessionStorage.removeItem(draftKey);
  composer.classList.toggle("command", box.value.startsWith("/"));
});

// ---- Files ---------------------------------------------------------------------------------------------------------

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
