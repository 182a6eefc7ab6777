// What the page is made of, and short ways to its parts.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export const body = document.body;
export const { room, user, person, command, chat } = body.dataset;
export const list = $("#messages");
export const composer = $("#composer");
export const box = $("#composer-text");

// A screen on which the list of rooms slides in; the same number stands in app.css.
export const narrow = matchMedia("(max-width: 50rem)");

// Puts a text into the message box as if it had been typed.
export function setBox(text) {
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
