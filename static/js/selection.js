// Selection of keys: survives paging within one query (kept for this tab), Shift-click ranges, a header box for the page.
const STORE = "selected-keys";
let last = null;

const bar = () => document.querySelector("[data-bulk]");
const boxes = () => [...document.querySelectorAll("[data-select]")];

function load() {
  const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "null");
  return kept?.query === bar().dataset.query ? new Map(kept.keys) : new Map();
}

function save(selected) {
  sessionStorage.setItem(STORE, JSON.stringify({ query: bar().dataset.query, keys: [...selected] }));
}

function show(selected) {
  const form = bar();
  const here = new Set(boxes().map((box) => box.value));
  const all = form.querySelector("[data-select-all]").checked;
  for (const box of boxes()) box.checked = all || selected.has(box.value);
  form.querySelector("[data-select-all]").parentElement.hidden = !all && selected.size === Number(form.dataset.total);
  const elsewhere = [...selected.keys()].filter((key) => !here.has(key));
  form.querySelector("[data-elsewhere]").replaceChildren(...elsewhere.map((key) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "key", value: key });
    return input;
  }));
  const statuses = all ? [] : [...selected.values()];
  const areDisabled = statuses.length > 0 && statuses.every((status) => status === "inactive");
  form.querySelector("[value=disable]").hidden = areDisabled;
  form.querySelector("[value=delete]").hidden = !areDisabled;
  form.querySelector("[data-bulk-count]").textContent = all ? form.dataset.total : String(selected.size);
  form.classList.toggle("is-on", all || selected.size > 0);
  const page = document.querySelector("[data-select-page]");
  if (page) {
    const on = boxes().filter((box) => box.checked).length;
    page.checked = on > 0 && on === boxes().length;
    page.indeterminate = on > 0 && on < boxes().length;
  }
}

function begin() {
  if (!bar()) return;
  for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;
  const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "null");
  const selected = load();
  if (kept?.keys.length && kept.query !== bar().dataset.query) {
    document.querySelector("[data-selection-note]").textContent = "The query changed, so the selection was cleared.";
    save(selected);
  }
  show(selected);
}

function choose(chosen, isOn) {
  const selected = load();
  for (const box of chosen) isOn ? selected.set(box.value, box.dataset.status) : selected.delete(box.value);
  save(selected);
  show(selected);
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-select], [data-select-page], [data-select-all], [data-clear-selection]");
  if (!box || !bar()) return;
  const every = bar().querySelector("[data-select-all]");
  if (box.matches("[data-select-all]")) return show(load());
  every.checked = false;
  if (box.matches("[data-clear-selection]")) {
    event.preventDefault();
    save(new Map());
    show(new Map());
    document.querySelector("h1").focus();
  } else if (box.matches("[data-select-page]")) choose(boxes(), box.checked);
  else {
    const found = boxes();
    const [from, to] = [found.indexOf(last?.isConnected && event.shiftKey ? last : box), found.indexOf(box)].sort((a, b) => a - b);
    choose(found.slice(from, to + 1), box.checked);
    last = box;
  }
});

document.addEventListener("htmx:after:swap", begin);
begin();
