// Forms that a command asks for.

import { $, $$, box } from "./dom.js";
import { parse } from "./messages.js";
import { Refusal, call, here, newKey } from "./server.js";
import { toast } from "./toast.js";

const pad = (number) => String(number).padStart(2, "0");
const localStamp = (at) =>
  `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;

export function openForm(html) {
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
    else if ("required" in field.dataset) return markField(dialog, field.dataset.field, "This is needed.");
  }
  const { path, fixed, key } = dialog.dataset;
  button.setAttribute("aria-busy", "true");
  try {
    const { status, answer } = await call("POST", `${here(dialog.dataset.room)}/forms?wait=decided`, {
      path, fixed: JSON.parse(fixed), values, key,
    });
    dialog.close();
    const words = answer.message?.fallback ?? (status === 202 ? "Taken. It is still being worked on." : "");
    if (words) toast(words);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    // A refusal was decided: the next try is another one. Anything else was not, and may be sent again as it is.
    if (problem.status === 422) dialog.dataset.key = newKey();
    markField(dialog, problem.field, problem.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.closest("#forms")) return;
  event.preventDefault();
  submitForm(event.target.closest("dialog"));
});
