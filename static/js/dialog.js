// Dialogs: an answer of the server in #dialog is opened as a modal; focus starts on Cancel and goes back to the button, or to the heading.
let opener = null;

function open() {
  for (const dialog of document.querySelectorAll("#dialog dialog:not([open])")) {
    dialog.showModal();
    for (const form of dialog.querySelectorAll("form")) wait(form);
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
