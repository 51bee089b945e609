// A question in English: read as a query, which is shown and not asked before somebody says so.

import { postJson } from "./client.js";
import { button, element, spaced } from "./dom.js";

// Every notation of queries has brackets; a sentence seldom does.
export const isPlain = (text) => text.trim().includes(" ") && !/[({[<]/.test(text) && !/^\s*(match|select)\b/i.test(text);

export const readPlain = (question, signal) => postJson("/v1/plain", { question }, { signal });

export function readView(found, onAsk) {
  const heard = found.heard.map((one) => element("li", {}, `“${one.words}” as ${spaced(one.relation)}`));
  return element("section", { class: "card read", "aria-label": "How the question was read" },
    element("p", {}, `“${found.question}” was read as the query above. Nothing has been asked yet.`),
    heard.length ? element("ul", {}, ...heard) : "",
    ...found.warnings.map((text) => element("p", { class: "warning" }, `Note: ${text}`)),
    button("Ask it", onAsk, { class: "plain ask-it" }));
}
