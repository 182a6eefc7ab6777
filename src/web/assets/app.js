// The life of the page. Everything shown comes as finished, escaped HTML from the server; these scripts only put it in
// place, send what people do, and never build HTML from text.
//
//   dom       what the page is made of        compose   writing, drafts, files
//   server    talking to the server           complete  completing commands
//   live      the event stream                forms     what a command asks for
//   messages  showing messages                acts      what can be done with a message
//   rooms     the list on the left            threads   the panel beside the room
//   card      the card on top                 guide     the guide of the demo
//   toast     short words at the edge         keys      clicks and keys

import { startCard } from "./card.js";
import "./complete.js";
import { restoreDraft } from "./compose.js";
import { $, box, list } from "./dom.js";
import { startGuide } from "./guide.js";
import "./keys.js";
import { connect } from "./live.js";
import { dress, regroup, toEnd } from "./messages.js";
import { rove, showUnread } from "./rooms.js";

document.documentElement.classList.add("js");
dress(document);
regroup(list);
if ($("#thread-messages")) regroup($("#thread-messages"));
showUnread();
rove();
startCard();
startGuide();
restoreDraft();

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
