// The address holds what is seen: it can be sent to somebody, and going back goes back.

export const VIEWS = ["ask", "entity", "search", "review", "jobs", "saved"];

const listeners = [];

export function readAddress() {
  const given = Object.fromEntries(new URLSearchParams(location.search));
  if (!VIEWS.includes(given.view)) given.view = given.q !== undefined ? "ask" : given.view ?? "ask";
  return given;
}

export function addressOf(state) {
  const address = new URL(location.pathname, location.origin);
  for (const [name, value] of Object.entries(state)) {
    if (value !== undefined && value !== "" && !(name === "view" && value === "ask")) address.searchParams.set(name, value);
  }
  return address.pathname + address.search;
}

export function go(state, { remember = true, show = true } = {}) {
  const address = addressOf(state);
  if (remember && address !== location.pathname + location.search) history.pushState(null, "", address);
  if (show) for (const listener of listeners) listener(state);
}

export function onGo(listener) {
  listeners.push(listener);
}

// A real link, so that it opens in a new tab too; a plain click stays on the page.
export function link(state, text, attributes = {}) {
  const made = document.createElement("a");
  made.href = addressOf(state);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(state);
  });
  return made;
}

addEventListener("popstate", () => { for (const listener of listeners) listener(readAddress()); });
