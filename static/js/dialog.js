// Dialogs: an answer of the server in #dialog is opened as a modal; focus starts on Cancel, or on the field in error, and goes back to
// the button, or to what stands for it now, or to the heading. The same holds for a button that an answer replaces without a dialog.
const PLACES = '[id^="key-action-"], #poll-now';
const FOCUSABLE = "a[href], button, summary";
let opener = null; // the way back to what opened the dialog
let last = null; // the way back to what had the focus last
let isShown = false;
let opened = []; // details inside a dialog that is drawn anew

function wayTo(place) {
  const part = document.getElementById(place.closest("[data-back]")?.dataset.back) ?? place.closest(PLACES);
  const link = (part ?? place).closest("tr")?.querySelector("[data-row-link]")?.getAttribute("href");
  return { place, id: place.id, part: part?.id, link, summary: place.closest("details")?.querySelector("summary") };
}

function goBack(way) {
  const link = way?.link && document.querySelector(`tr [data-row-link][href="${CSS.escape(way.link)}"]`);
  const part = way?.part && document.getElementById(way.part);
  const inside = part ? [part, ...part.querySelectorAll(FOCUSABLE)].filter((place) => place.matches(FOCUSABLE)) : [];
  const same = way?.id && document.getElementById(way.id);
  const found = [way?.place, way?.summary, same, link, ...inside].find((place) => place?.isConnected && place.checkVisibility?.());
  if (found) found.focus();
  else document.querySelector("h1")?.focus({ preventScroll: true });
}

function open() {
  for (const dialog of document.querySelectorAll("#dialog dialog:not([open])")) {
    dialog.showModal();
    (dialog.querySelector("[aria-invalid=true]") ?? dialog.querySelector("[data-cancel]") ?? dialog).focus();
  }
  for (const form of document.querySelectorAll("#dialog form")) wait(form);
  const wasShown = isShown;
  isShown = document.querySelector("#dialog dialog") !== null;
  if (wasShown && !isShown) goBack(opener);
  else if (!isShown && document.activeElement === document.body && last && !last.place.isConnected) goBack(last);
}

document.addEventListener("htmx:before:swap", () => {
  opened = [...document.querySelectorAll("#dialog details[open][id]")].map((part) => part.id);
});

document.addEventListener("htmx:after:swap", (event) => {
  for (const id of opened) document.querySelector(`#dialog details#${CSS.escape(id)}`)?.setAttribute("open", "");
  event.target.closest?.(".toast")?.remove();
  open();
});
document.addEventListener("DOMContentLoaded", open);

document.addEventListener("focusin", ({ target }) => {
  if (!target.closest("#dialog")) last = wayTo(target);
});

// A dialog whose answer shows the whole page anew: the way back is kept over the reload.
const KEPT = "way-back";

window.addEventListener("pagehide", () => {
  if (isShown && opener) sessionStorage.setItem(KEPT, JSON.stringify({ url: location.href, id: opener.id, part: opener.part, link: opener.link }));
});

document.addEventListener("DOMContentLoaded", () => {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (kept?.url === location.href) goBack(kept);
});

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-cancel], [data-dismiss], [data-opens-dialog]");
  if (!target) return;
  if (target.hasAttribute("data-opens-dialog")) opener = wayTo(target);
  if (target.hasAttribute("data-dismiss")) {
    target.closest(".toast").remove();
    last = null;
  }
  if (target.hasAttribute("data-cancel") && target.closest("dialog")) {
    event.preventDefault();
    target.closest("dialog").close();
  }
});

document.addEventListener("close", (event) => {
  if (!event.target.matches?.("#dialog dialog")) return;
  event.target.remove();
  isShown = false;
  goBack(opener);
}, true);

// The confirm button of a dialog cannot act while something is missing, but stays focusable; pressing it goes to what is missing and says so.
const confirmOf = (form) => form.querySelector(".dialog-foot [type=submit]");

function wait(form) {
  const button = confirmOf(form);
  if (form.querySelector(":invalid:not(fieldset)")) button?.setAttribute("aria-disabled", "true");
  else button?.removeAttribute("aria-disabled");
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("#dialog form");
  if (!form) return;
  form.querySelector(".error[data-missing]")?.remove();
  wait(form);
});

document.addEventListener("submit", (event) => {
  if ((event.submitter ?? confirmOf(event.target))?.getAttribute("aria-disabled") !== "true") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const field = event.target.querySelector(":invalid:not(fieldset)");
  if (!field) return;
  event.target.querySelector(".error[data-missing]")?.remove();
  const said = Object.assign(document.createElement("p"), { className: "error", id: "missing", textContent: field.validationMessage });
  said.dataset.missing = "yes";
  said.setAttribute("role", "alert");
  field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), "missing"].filter(Boolean).join(" "));
  field.after(said);
  field.focus();
}, true);

// Toasts leave after a while, not while somebody reads them with the pointer or the focus; what they say is also in the Queue or the log.
const READ = 8000;

function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(leave, READ, toast);
  else toast.remove();
}

function time() {
  for (const toast of document.querySelectorAll(".toast:not([data-timed])")) {
    toast.dataset.timed = "yes";
    if (!toast.matches(":has(form)")) setTimeout(leave, READ, toast);
  }
}

document.addEventListener("htmx:after:swap", time);
document.addEventListener("DOMContentLoaded", time);
time();
