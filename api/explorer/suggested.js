// What to ask next: facts that part the results, each with the number that it leads to.

import { Problem, getJson, postJson } from "./client.js";
import { element } from "./dom.js";
import { link } from "./address.js";

function chips(found, stateOf) {
  const heads = { narrow: "Narrow it", widen: "Nothing fits all of it. Ask less", drop: "Nothing fits all of it. Ask less" };
  const shown = found.suggestions.map((one) => {
    const examples = one.examples.join(", ");
    return link(stateOf(one), `${one.text} · ${one.results}`, { class: "chip", title: examples, "data-results": one.results });
  });
  if (!shown.length) return [element("p", { class: "quiet" }, "No suggestions: nothing parts these results.")];
  return [element("h3", { class: "quiet" }, heads[found.suggestions[0].change]), element("div", { class: "chips" }, ...shown)];
}

// A place that fills itself, so that what was found need not wait for it.
function later(loading, stateOf) {
  const place = element("section", { class: "suggested", "aria-label": "Suggestions", "aria-busy": "true" });
  loading.then((found) => place.append(...chips(found, stateOf)), (error) => {
    if (error instanceof Problem) place.append(element("p", { class: "quiet" }, `No suggestions: ${error.message}`));
  }).finally(() => place.setAttribute("aria-busy", "false"));
  return place;
}

export function ofSearch(state, signal) {
  const within = state.within ? `&within=${encodeURIComponent(state.within)}` : "";
  return later(getJson(`/v1/suggestions?q=${encodeURIComponent(state.s)}${within}`, { signal }),
    (one) => ({ view: "search", s: state.s, within: JSON.stringify(one.query) }));
}

export function ofQuestion(asked, signal) {
  return later(postJson("/v1/suggestions", { query: asked.q, without: asked.without }, { signal }),
    (one) => ({ view: "ask", q: JSON.stringify(one.query), k: asked.k, answerer: asked.answerer }));
}
