// The search field as a combobox: Ctrl K, arrow keys, Enter, Escape. htmx fills the list with the server's answer.
const field = document.querySelector("[data-search]");
const list = document.querySelector("#hits");
const options = () => [...list.querySelectorAll("a[role=option]")];

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
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark((at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    }
  });
  new MutationObserver(() => field.setAttribute("aria-expanded", String(list.childElementCount > 0))).observe(list, { childList: true });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });
}
