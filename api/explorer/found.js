// Search over everything: hits with the words that were found, each a link.

import { getJson } from "./client.js";
import { element } from "./dom.js";
import { link } from "./address.js";
import { readOn } from "./paged.js";
import { thumbnail } from "./picture.js";
import { recipeView } from "./recipe.js";
import { ofSearch } from "./suggested.js";

const FIELDS = { names: "called", prose: "said", picture: "in its picture", facts: "beside" };

function highlighted({ text, spans }) {
  const parts = [];
  let at = 0;
  const letters = [...text]; // spans count characters, not halves of them
  for (const [start, end] of spans) {
    parts.push(letters.slice(at, start).join(""), element("mark", {}, letters.slice(start, end).join("")));
    at = end;
  }
  return [...parts, letters.slice(at).join("")];
}

function hitLine(hit) {
  const why = hit.highlights.length
    ? hit.highlights.slice(0, 3).map((one) => element("span", { class: "quiet support" }, `${FIELDS[one.field]}: `, ...highlighted(one)))
    : [element("span", { class: "quiet support" }, "found by its meaning")];
  return element("li", { class: "hit", "data-key": hit.key }, thumbnail(hit.image),
    element("span", { class: "who" }, link({ view: "entity", key: hit.key }, hit.name, { class: "name" }), " ",
      element("span", { class: "quiet" }, `${hit.label} · ${hit.key}`), ...why));
}

export async function searchView(state, signal) {
  const within = state.within ? `&within=${encodeURIComponent(state.within)}` : "";
  const k = Number(state.k) || (within ? 100 : 20);
  const address = `/v1/search?k=${k}&q=${encodeURIComponent(state.s)}${within}`;
  const found = await getJson(address, { signal });
  const list = element("ol", { class: "answers" }, ...found.hits.map(hitLine));
  const more = readOn("More hits", found.next, async (after) => {
    const page = await getJson(`${address}&after=${after}`);
    list.append(...page.hits.map(hitLine));
    return { next: page.next, told: `${list.children.length} shown` };
  }, "more-hits");
  const count = found.next ? `The best ${found.hits.length}` : `${found.hits.length} found`;
  return [
    element("h2", { class: "title", tabindex: "-1" }, `${count} for “${state.s}”`),
    within ? element("p", { class: "quiet" }, "Narrowed by a suggestion. ", link({ view: "search", s: state.s }, "Show all")) : null,
    ofSearch(state, signal),
    ...found.warnings.map((text) => element("p", { class: "quiet" }, `Note: ${text}`)),
    found.hits.length ? list : element("p", {}, "Nothing. Try fewer or other words."),
    more,
    recipeView(state, `Search: ${state.s}`),
  ].filter((one) => one !== null);
}
