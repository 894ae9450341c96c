// The search field as a combobox: Ctrl K, arrow keys, Enter, Escape. htmx fills the list with the server's answer; buttons and links
// of the page that match what was typed are added as actions. Choosing one presses it, with its own dialog and confirmation.
const MOST = 12;
const MOST_ACTIONS = 3;
const field = document.querySelector("[data-search]");
const list = document.querySelector("#hits");
const options = () => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];

function mark(place) {
  const found = options();
  for (const [index, option] of found.entries()) option.setAttribute("aria-selected", String(index === place));
  if (found[place]) {
    field.setAttribute("aria-activedescendant", found[place].id);
    found[place].scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

function close() {
  list.replaceChildren();
  field.setAttribute("aria-expanded", "false");
  mark(-1);
}

function actions(text) {
  const named = new Map();
  for (const button of document.querySelectorAll("#main .page-head .button, #main .lifecycle .button")) {
    const name = [...button.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim()).join(" ").trim();
    const isOff = button.getAttribute("aria-disabled") === "true" || button.matches("summary");
    if (name && !isOff && !named.has(name) && name.toLowerCase().includes(text)) named.set(name, button);
  }
  return [...named].slice(0, MOST_ACTIONS);
}

function offer([name, button], index) {
  const option = document.createElement("button");
  option.type = "button";
  option.tabIndex = -1;
  option.id = `act-${index + 1}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  const label = document.createElement("span");
  const kind = document.createElement("small");
  label.textContent = name;
  kind.textContent = "action on this page";
  option.append(label, kind);
  option.addEventListener("click", () => {
    close();
    button.focus();
    button.click();
  });
  return option;
}

function complete() {
  const text = field.value.trim().toLowerCase();
  const found = text && !list.querySelector("button") ? actions(text).map(offer) : [];
  if (!found.length) return;
  list.querySelector("[aria-disabled]")?.remove();
  for (const extra of options().slice(MOST - found.length)) extra.remove();
  list.append(...found);
}

if (field && list) {
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "k") return;
    event.preventDefault();
    field.focus();
    field.select();
  });
  field.addEventListener("keydown", (event) => {
    const found = options();
    const at = found.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") close();
    if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      found[at].click();
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
      event.preventDefault();
      const next = at < 0 && event.key === "ArrowUp" ? found.length - 1 : at + (event.key === "ArrowDown" ? 1 : -1);
      mark((next + found.length) % found.length);
    }
  });
  new MutationObserver(() => {
    complete();
    field.setAttribute("aria-expanded", String(list.childElementCount > 0));
  }).observe(list, { childList: true });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });
}
