// What was saved in this browser: open it again, or take it away as a recipe for the command line.

import { button, element } from "./dom.js";
import { go } from "./address.js";
import { download, keep, recipe, saved } from "./recipe.js";

function savedLine(one, again) {
  const opened = element("a", { href: one.address, class: "name" }, one.name);
  opened.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ view: "ask", ...Object.fromEntries(new URL(one.address, location.origin).searchParams) });
  });
  return element("li", { class: "card saved" }, opened, " ", element("span", { class: "quiet" }, one.at.slice(0, 10)),
    element("pre", {}, one.command),
    button("Forget", () => { keep(saved().filter((other) => other.command !== one.command)); again(); }, { "aria-label": `Forget ${one.name}` }));
}

export async function savedView(_state, _signal, again) {
  const list = saved();
  const taken = button("Download as a recipe", () => download("umbra-recipe.sh", recipe(list), "application/x-sh"), { class: "plain download" });
  return [
    element("h2", { class: "title", tabindex: "-1" }, "Saved"),
    list.length ? element("ol", { class: "plain-list" }, ...list.map((one) => savedLine(one, again)))
      : element("p", { class: "quiet" }, "Nothing yet. “Save this” stands under every view, with the command that shows the same."),
    list.length ? element("p", {}, taken) : null,
  ].filter(Boolean);
}
