// Dialogs: an answer of the server in #dialog is opened as a modal; focus starts on Cancel and goes back to the button, or to the heading.
let opener = null;

function open() {
  for (const dialog of document.querySelectorAll("#dialog dialog:not([open])")) {
    dialog.showModal();
    (dialog.querySelector("[data-cancel]") ?? dialog).focus();
  }
}

document.addEventListener("htmx:after:swap", open);
document.addEventListener("DOMContentLoaded", open);

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-cancel], [data-dismiss], [data-opens-dialog]");
  if (!target) return;
  if (target.hasAttribute("data-opens-dialog")) opener = target;
  if (target.hasAttribute("data-dismiss")) target.closest(".toast").remove();
  if (target.hasAttribute("data-cancel") && target.closest("dialog")) {
    event.preventDefault();
    target.closest("dialog").close();
  }
});

document.addEventListener("close", (event) => {
  if (!event.target.matches?.("#dialog dialog")) return;
  event.target.remove();
  const places = opener?.isConnected ? [opener, opener.closest("details")?.querySelector("summary")] : [];
  (places.find((place) => place?.checkVisibility()) ?? document.querySelector("h1"))?.focus();
}, true);

// A button that cannot act yet stays focusable; pressing it goes to what is missing.
document.addEventListener("submit", (event) => {
  if (event.submitter?.getAttribute("aria-disabled") !== "true") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  event.target.querySelector(":invalid, [data-required]")?.focus();
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
