// Parts that ask the server again and again ([data-live]) ask five times less often while nobody looks at the page.
let skipped = 0;

document.addEventListener("htmx:before:request", (event) => {
  if (!document.hidden || !event.target.matches?.("[data-live]")) return;
  skipped = (skipped + 1) % 5;
  if (skipped) event.preventDefault();
});
