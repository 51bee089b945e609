// What waits for a person: links that the linker left open, and the verdicts on single facts.

import { getJson, postJson } from "./client.js";
import { button, element, percent, spaced } from "./dom.js";
import { link } from "./address.js";
import { decideFact, readFacts, reviewer, setReviewer } from "./facts.js";
import { commandOf, factCommand, recipeView } from "./recipe.js";

const MOST_CANDIDATES = 3;

function whoField() {
  const field = element("input", { id: "who", type: "text", maxlength: 200, value: reviewer(), autocomplete: "off" });
  field.addEventListener("change", () => setReviewer(field.value.trim() || "reader"));
  return element("p", { class: "row" }, element("label", { for: "who" }, "Decided by"), field);
}

function sentence(one) {
  if (!one.context || one.start == null) return element("blockquote", {}, one.context || one.mention);
  const letters = [...one.context];
  return element("blockquote", {}, letters.slice(Math.max(0, one.start - 80), one.start).join(""),
    element("mark", {}, letters.slice(one.start, one.end).join("")), letters.slice(one.end, one.end + 80).join(""));
}

function candidateLine(candidate, accept, other) {
  const reasons = Object.entries(candidate.reasons).slice(0, 3).map(([name, value]) => `${spaced(name)} ${Number(value).toFixed(2)}`);
  return element("li", { "data-entity": candidate.entity },
    link({ view: "entity", key: candidate.entity }, candidate.name ?? candidate.entity, { class: "entity" }),
    element("span", { class: "odds" }, percent(candidate.probability)),
    button("Accept", () => accept(candidate), { "aria-label": `Accept ${candidate.name ?? candidate.entity}`, class: other ? "plain" : "plain first" }),
    element("span", { class: "quiet support" }, reasons.join(", ")));
}

function caseView(one, decided) {
  const place = element("li", { class: "case card", "data-case": one.id });
  const told = element("p", { class: "quiet", role: "status" });
  const decide = async (body, text) => {
    try {
      const made = await postJson("/v1/review/decisions", { who: reviewer(), ...body });
      told.textContent = text;
      place.classList.add("done");
      for (const made of place.querySelectorAll("button")) made.remove();
      const undo = button("Undo", async () => {
        await postJson("/v1/review/decisions", { kind: "undo", who: reviewer(), undoes: made.number });
        decided();
      });
      told.append(" ", undo);
      undo.focus();
    } catch (error) {
      told.textContent = error.message;
    }
  };
  const accept = (candidate) => decide(
    candidate.entity === one.entity || one.pair ? { kind: "accept", case: one.id } : { kind: "other", case: one.id, entity: candidate.entity },
    `Accepted: ${candidate.name ?? candidate.entity}.`);
  const shown = one.pair ? [one.pair[0]] : one.candidates;
  const lines = shown.map((candidate, n) => candidateLine(candidate, accept, n > 0));
  place.append(
    element("h3", {}, one.pair ? `${one.pair[0].name} and ${one.pair[1].name} may be one` : one.mention),
    ...(one.pair ? [] : [sentence(one)]),
    element("ol", { class: "candidates" }, ...lines.slice(0, MOST_CANDIDATES)),
    lines.length > MOST_CANDIDATES ? element("details", { class: "quiet" },
      element("summary", {}, `${lines.length - MOST_CANDIDATES} more`),
      element("ol", { class: "candidates" }, ...lines.slice(MOST_CANDIDATES))) : "",
    button("Reject all", () => decide({ kind: "reject", case: one.id }, "Rejected."), { "aria-label": `Reject all for ${one.mention ?? "this pair"}` }),
    told);
  return place;
}

function factLine(fact, changed) {
  const said = { accept: "accepted", reject: "rejected" }[fact.verdict];
  return element("li", { class: `edge ${fact.verdict === "accept" ? "known" : "absent"}` }, element("p", {},
    element("span", { class: `said ${fact.verdict}` }, `${said} by ${fact.who}`), " ",
    link({ view: "entity", key: fact.head }, fact.head_name, { class: "entity" }), ` — ${spaced(fact.relation)} → `,
    link({ view: "entity", key: fact.tail }, fact.tail_name, { class: "entity" }), " ",
    button("Undo", async () => { await decideFact(fact, "undo"); changed(); }, { "aria-label": `Undo the verdict on ${fact.head_name} ${fact.relation} ${fact.tail_name}` })));
}

export async function reviewView(state, signal, again) {
  const [{ cases, open, decided }, facts] = await Promise.all([getJson("/v1/review/cases?limit=20", { signal }), readFacts()]);
  return [
    element("h2", { class: "title", tabindex: "-1" }, "Review"),
    whoField(),
    element("h3", {}, `Links: ${open} open, ${decided} decided`),
    cases.length ? element("ol", { class: "cases" }, ...cases.map((one) => caseView(one, again)))
      : element("p", { class: "quiet" }, "Nothing waits. Load the links of a job on the page “Jobs”."),
    element("h3", {}, `Facts: ${facts.length} decided`),
    facts.length ? element("ol", { class: "edges" }, ...facts.map((fact) => factLine(fact, again)))
      : element("p", { class: "quiet" }, "None. Accept or reject a likely fact where it stands: in a proof or beside an entity."),
    recipeView({ ...state, command: [commandOf(state), ...facts.map(factCommand).reverse()].join("\n") }, "Review, with its verdicts on facts"),
  ];
}
