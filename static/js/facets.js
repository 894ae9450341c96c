// Facets and other menus of a list. Whatever is chosen is written into the filter line, which then asks the server.
const filter = () => document.querySelector("[data-filter]");
const openMenus = () => document.querySelectorAll("details.facet[open]");
let comesFrom = "";

function ask(line, menu) {
  comesFrom = menu?.id ?? "";
  filter().value = line;
  filter().form.requestSubmit();
}

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.facet") || !event.target.open) return;
  for (const other of openMenus()) if (other !== event.target) other.open = false;
  event.target.querySelector(".facet-find")?.focus();
}, true);

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  const link = event.target.closest("a[data-line]");
  if (!link || !filter() || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link.dataset.line, link.closest("details.facet"));
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-facet]");
  if (!form || !filter()) return;
  event.preventDefault();
  event.stopPropagation();
  const key = `${form.dataset.facet}:`;
  const values = [...form.querySelectorAll("[name=pick]:checked")].map((box) => box.value.slice(key.length));
  const joined = values.join(",");
  const word = joined.includes(" ") ? `${key}"${joined}"` : `${key}${joined}`;
  ask([form.elements.q.value, ...(joined ? [word] : [])].filter(Boolean).join(" "), form.closest("details.facet"));
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// On a narrow screen the open view may lie beyond the edge of its tabs.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// The rows were replaced: the focus goes back to the facet that asked for it.
document.addEventListener("htmx:after:swap", () => {
  if (!comesFrom) return;
  document.getElementById(comesFrom)?.querySelector("summary").focus();
  comesFrom = "";
});
