// Verdicts on single edges: accept or reject what a model believes, and take it back.

import { Problem, getJson, postJson } from "./client.js";
import { button, element } from "./dom.js";

const NAME = "umbra-name";
let held = new Map();

const idOf = ({ head, relation, tail }) => JSON.stringify([head, relation, tail]);

export const reviewer = () => localStorage.getItem(NAME) || "reader";

export const setReviewer = (name) => localStorage.setItem(NAME, name);

export async function readFacts() {
  const facts = [];
  for (let after = ""; after !== null;) {
    const page = await getJson(`/v1/review/facts${after}`);
    facts.push(...page.facts);
    after = page.next === null ? null : `?after=${page.next}`;
  }
  held = new Map(facts.map((fact) => [idOf(fact), fact]));
  return facts;
}

// Edges that people have rejected; a question leaves them out.
export const rejected = () => [...held.values()].filter((fact) => fact.verdict === "reject")
  .map(({ head, relation, tail }) => [head, relation, tail]);

export async function decideFact({ head, relation, tail }, verdict) {
  const fact = await postJson("/v1/review/facts", { head, relation, tail, verdict, who: reviewer() });
  if (verdict === "undo") held.delete(idOf(fact));
  else held.set(idOf(fact), fact);
  document.dispatchEvent(new CustomEvent("umbra-facts"));
  return fact;
}

const SAID = { accept: "accepted", reject: "rejected" };

// Accept and Reject beside a likely fact; then what was said, and a way back.
export function factButtons(edge) {
  const place = element("span", { class: "verdict", role: "group", "aria-label": `Verdict on ${edge.head_name} ${edge.relation} ${edge.tail_name}` });
  const show = (told = "") => {
    const fact = held.get(idOf(edge));
    const give = (verdict) => async () => {
      try {
        const { gone = [] } = await decideFact(edge, verdict);
        show(gone.length ? `What rested on it went, too: ${gone.join("; ")}.` : "");
        place.querySelector("button").focus();
      } catch (error) {
        show(error instanceof Problem ? error.message : "It failed.");
      }
    };
    place.replaceChildren(...(fact
      ? [element("span", { class: `said ${fact.verdict}` }, `${SAID[fact.verdict]} by ${fact.who}`), button("Undo", give("undo"))]
      : [button("Accept", give("accept")), button("Reject", give("reject"))]),
    element("span", { role: "status", class: "quiet" }, told));
  };
  show();
  return place;
}
