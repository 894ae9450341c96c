// The filter line as a combobox: words for what is being typed, asked of the server; arrow keys, Enter or Tab take one, Escape closes.
const field = document.querySelector("[data-suggest]");
const list = document.querySelector("#suggestions");
const WAIT = 150;
let timer = 0;
let asked = null;

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => options().findIndex((option) => option.getAttribute("aria-selected") === "true");

// The word under the caret: its start, and its text up to the caret.
function typed() {
  const before = field.value.slice(0, field.selectionStart);
  const start = before.match(/(?:[^\s"]|"[^"]*"?)*$/).index;
  return { start, word: before.slice(start) };
}

function mark(place) {
  for (const [index, option] of options().entries()) option.setAttribute("aria-selected", String(index === place));
  const option = options()[place];
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function close() {
  clearTimeout(timer);
  asked?.abort();
  list.replaceChildren();
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

async function suggest() {
  const { word } = typed();
  if (!word) return close();
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(`${field.dataset.suggest}&word=${encodeURIComponent(word)}`, { signal: asked.signal, headers: { "HX-Request": "true" } });
    if (!answer.ok) return close();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.replaceChildren(...page.body.childNodes);
    field.setAttribute("aria-expanded", String(options().length > 0));
  } catch (error) {
    if (error.name !== "AbortError") close();
  }
}

function take(option) {
  const { start } = typed();
  const end = field.selectionStart;
  const word = option.dataset.word;
  const isDone = !word.endsWith(":");
  field.setRangeText(isDone ? `${word} ` : word, start, end, "end");
  close();
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

if (field && list) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, WAIT);
  });
  field.addEventListener("keydown", (event) => {
    const found = options();
    if (!found.length) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((Math.max(chosen(), step > 0 ? -1 : 0) + step + found.length) % found.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen() >= 0) {
      event.preventDefault();
      take(found[chosen()]);
    } else if (event.key === "Enter") close();
  });
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });
  field.addEventListener("blur", close);
}
