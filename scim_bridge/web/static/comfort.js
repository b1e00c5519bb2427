// For comfort only: every page does all that it does without this.
"use strict";

document.documentElement.classList.add("scripted");

// Copy a value that stands beside its button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const value = button.parentElement.querySelector("[data-value]");
  await navigator.clipboard.writeText(value.textContent);
  const before = button.title;
  button.title = "Copied";
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.title = before;
    button.setAttribute("aria-label", before);
  }, 2000);
});

// A menu closes when somebody goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.drop[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.drop[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  if (event.key === "/" && !/^(input|textarea|select)$/i.test(event.target.tagName)) {
    const box = document.querySelector(".find input");
    if (box) {
      event.preventDefault();
      box.focus();
    }
  }
});

// A page about something that goes on is asked for again, until it no longer says so.
async function refresh(part) {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("[data-refresh], [data-finished]");
    if (!next) return location.reload();
    part.replaceWith(next);
    watch();
  } catch {
    setTimeout(watch, 5000);
  }
}

function watch() {
  const part = document.querySelector("[data-refresh]");
  if (part) setTimeout(() => refresh(part), Number(part.dataset.refresh) * 1000);
}

document.addEventListener("DOMContentLoaded", watch);
