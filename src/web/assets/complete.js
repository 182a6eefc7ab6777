// Completing commands while somebody types.

import { edit } from "./acts.js";
import { $, $$, box, command, list, room, setBox, user } from "./dom.js";
import { call } from "./server.js";

const options = $("#complete");
let chosen = -1;
// Counts the questions, so that a late answer to an old one is not shown.
let asked = 0;
const completing = () => !options.hidden;

function close() {
  asked++;
  options.hidden = true;
  chosen = -1;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

async function ask() {
  const own = ++asked;
  const text = box.value;
  const name = `/${command}`;
  if (!text.startsWith("/") || text.includes("\n")) return close();
  if (!text.includes(" ")) {
    const whole = { whole: `${name} `, label: name, about: "Open, or run the response" };
    return name.startsWith(text.toLowerCase()) ? show(text, [whole]) : close();
  }
  if (!text.toLowerCase().startsWith(`${name} `)) return close();
  const typed = text.slice(name.length + 1);
  let found;
  try {
    found = (await call("GET", `/api/complete?${new URLSearchParams({ room, typed })}`)).answer.completions;
  } catch {
    return; // Completion is a help; typing goes on without it.
  }
  if (own !== asked || document.activeElement !== box) return;
  show(text, found.map(({ text: full, about }) => {
    const goesOn = full.toLowerCase().startsWith(typed.trimStart().toLowerCase());
    const line = goesOn ? full : typed.replace(/\S*$/, "") + full;
    return { whole: `${name} ${line}${/[\s="]$/.test(line) ? "" : " "}`, label: full, about };
  }));
}

// Says what it completes: while an answer to a later letter is on its way, the list still belongs to an earlier one.
function show(text, found) {
  if (!found.length) return close();
  options.dataset.typed = text;
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

// Puts the line that a button shows into the message box, for its reader to send.
export function say(button) {
  setBox(button.textContent);
  box.focus();
  close();
}

options.addEventListener("mousedown", (event) => {
  event.preventDefault();
  const option = event.target.closest("li");
  if (option) take(option);
});
box.addEventListener("input", ask);
box.addEventListener("blur", close);
box.addEventListener("keydown", (event) => {
  if (completing()) {
    const keys = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen < 0 ? -1 : chosen - 1),
      Tab: () => take($$("li", options)[Math.max(chosen, 0)]),
      Enter: () => take($$("li", options)[chosen]),
      Escape: close,
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
