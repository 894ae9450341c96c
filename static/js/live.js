// Parts that ask the server again and again ([data-live]) ask five times less often while nobody looks at the page.
let skipped = 0;

document.addEventListener("htmx:before:request", (event) => {
  if (!document.hidden || !event.target.matches?.("[data-live]")) return;
  skipped = (skipped + 1) % 5;
  if (skipped) event.preventDefault();
});

// What was typed in a field before htmx was ready for it is not lost.
document.addEventListener("htmx:after:init", ({ target: field }) => {
  const typed = field.matches?.("input:focus") && field.value !== field.defaultValue;
  if (typed) field.dispatchEvent(new Event("input", { bubbles: true }));
});
