// A thread opens beside the room.

import { $, body, box, room } from "./dom.js";
import { parse, regroup } from "./messages.js";
import { attempt, call } from "./server.js";

export async function openThread(id) {
  const answer = await attempt(() => call("GET", `/rooms/${encodeURIComponent(room)}/threads/${id}`));
  if (!answer) return;
  $("#thread-slot").replaceChildren(parse(answer.answer));
  body.classList.add("has-thread");
  history.replaceState(null, "", `?thread=${id}`);
  regroup($("#thread-messages"));
  $("#thread-messages").scrollTop = $("#thread-messages").scrollHeight;
  $("#thread textarea").focus();
}

export function closeThread() {
  const root = $("#thread")?.dataset.root;
  $("#thread-slot").replaceChildren();
  body.classList.remove("has-thread");
  history.replaceState(null, "", location.pathname);
  ($(`#messages [data-message="${root}"]`) ?? box).focus({ preventScroll: true });
}
