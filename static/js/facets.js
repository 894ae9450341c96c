// Menus (details.facet): one at a time, closed by a click elsewhere and by Escape, which gives the focus back.
const openMenus = () => document.querySelectorAll("details.facet[open]");

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.facet") || !event.target.open) return;
  for (const other of openMenus()) if (other !== event.target) other.open = false;
}, true);

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
