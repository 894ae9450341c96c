// Single keys: / filter, ? help, j and k rows, x select, e buttons of the row, o open, g then a letter for a page.
// Off by preference (data-shortcuts="off"), ignored in fields and dialogs; they never act, they only move.
const isOff = document.documentElement.dataset.shortcuts === "off";
const isBusy = (node) => node.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
let waitsForPage = false;
let row = null;

function move(step) {
  const rows = [...document.querySelectorAll("tbody tr:has([data-row-link])")];
  if (!rows.length) return;
  const here = document.activeElement.closest("tbody tr") ?? (row?.isConnected ? row : null);
  const at = here ? rows.indexOf(here) + step : 0;
  row = rows[Math.min(Math.max(at, 0), rows.length - 1)];
  row.querySelector("[data-row-link]").focus();
}

// The menu of the row, opened with the focus on its first entry; where a row has none, its first button.
function openMenu(here) {
  const menu = here?.querySelector(".row-menu");
  if (!menu) return here?.querySelector(".actions button, .actions a")?.focus();
  menu.open = true;
  menu.querySelector("a").focus();
}

const current = () => document.activeElement.closest("tbody tr") ?? row;
const ACTIONS = {
  "/": () => document.querySelector("[data-filter]")?.focus(),
  "?": () => document.querySelector("[data-shortcut-help]")?.showModal(),
  j: () => move(1),
  k: () => move(-1),
  x: (event) => current()?.querySelector("[data-select]")?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: event.shiftKey })),
  o: () => current()?.querySelector("[data-row-link]")?.click(),
  e: () => openMenu(current()),
  g: () => { waitsForPage = true; },
};

document.addEventListener("keydown", (event) => {
  if (isOff || isBusy(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (waitsForPage) {
    waitsForPage = false;
    document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  const act = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
});
