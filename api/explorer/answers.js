// The answers of a question: known, likely and excluded ones, each with its proof behind it.

import { Problem, postJson } from "./client.js";
import { badge, bar, briefLine, element, percent, spaced } from "./dom.js";
import { link } from "./address.js";
import { thumbnail } from "./picture.js";
import { proofView } from "./proof.js";

// What an answer rests on least firmly: a record of the graph, or a step that is only likely.
function weakestOf(answer) {
  if (answer.weakest) return `weakest support: ${briefLine(answer.weakest)}`;
  const steps = (answer.proof?.edges ?? []).filter((edge) => edge.status === "predicted");
  if (!steps.length) return null;
  const step = steps.reduce((least, edge) => (edge.probability < least.probability ? edge : least));
  return `weakest step: ${step.head_name} ${spaced(step.relation)} ${step.tail_name}, ${percent(step.probability)}`;
}

export function answerItem(answer, place) {
  const id = `proof-${place}`;
  const support = answer.support ?? weakestOf(answer);
  const region = answer.region ? element("span", { class: "quiet" }, ` ${answer.region}`) : null;
  const head = element("button", {
    type: "button", class: "answer-head", "aria-expanded": "false", "aria-controls": id,
  },
  thumbnail(answer.image),
  element("span", { class: "who" },
    element("span", { class: "name" }, answer.name), " ",
    element("span", { class: "quiet key" }, answer.key),
    support ? element("span", { class: "quiet support" }, support) : null),
  element("span", { class: "sure" },
    badge(answer.status), region, " ", element("span", { class: "odds" }, percent(answer.probability)),
    bar(answer.probability)));
  const body = element("div", { id, class: "proof", hidden: true });
  head.addEventListener("click", () => {
    const opens = body.hidden;
    body.hidden = !opens;
    head.setAttribute("aria-expanded", String(opens));
    if (!opens || body.hasChildNodes()) return;
    body.append(element("p", { class: "more" }, link({ view: "entity", key: answer.key }, `Open ${answer.name}`)),
      ...(answer.proof ? proofView(answer.key, answer.proof) : [element("p", { class: "quiet" }, "No proof came with this answer.")]));
  });
  return element("li", { class: `answer ${answer.status}`, "data-key": answer.key, "data-status": answer.status }, head, body);
}

function answerGroup(name, note, answers, first, nothing = "None.") {
  const rows = answers.length
    ? element("ol", { class: "answers", start: first }, ...answers.map((answer, n) => answerItem(answer, first + n)))
    : element("p", { class: "quiet" }, nothing);
  return element("section", { class: `group ${name}`, "aria-labelledby": `title-${name}` },
    element("h2", { id: `title-${name}` }, badge(name), element("span", { class: "quiet" }, ` ${note}`)), rows);
}

export function answerGroups(found) {
  const known = found.answers.filter((answer) => answer.status === "known");
  const likely = found.answers.filter((answer) => answer.status === "likely");
  const total = `${found.total_known} in the graph` + (known.length < found.total_known ? `, ${known.length} shown` : "");
  return [
    answerGroup("known", total, known, 1),
    answerGroup("likely", `${likely.length} shown`, likely, 1 + known.length),
  ];
}

const MOST_EXCLUDED = 5;

// The question without its NOTs; null if it has none at its root.
function withoutNots(tree) {
  const kept = tree.all?.filter((branch) => !branch.not);
  if (!kept?.length || kept.length === tree.all.length) return null;
  return kept.length === 1 ? kept[0] : { all: kept };
}

// Entities that fit the question but for its NOT, and what each of them fails by.
export async function excludedGroup(found, asked, signal) {
  const wider = withoutNots(found.query);
  if (!wider) return null;
  const { answers } = await postJson("/v1/query", { query: wider, k: 50, answerer: "exact", proofs: false, without: asked.without }, { signal });
  const shown = new Set(found.answers.map((answer) => answer.key));
  const left = answers.filter((answer) => !shown.has(answer.key));
  const rows = [];
  for (const answer of left) {
    if (rows.length === MOST_EXCLUDED) break;
    const why = await whyNot(found.query, answer.key, asked.without, signal);
    if (why.weakest?.kind === "negation") rows.push({ ...why, image: answer.image });
  }
  if (!rows.length) return null;
  return answerGroup("excluded", `${rows.length} that fit but for a NOT, shown with what they fail by`, rows, 1001);
}

// An entity that somebody expected: what it lacks.
export async function whyNot(query, entity, without, signal) {
  const why = await postJson("/v1/why-not", { query, entity, without }, { signal });
  const lacks = why.weakest ? `fails by: ${why.weakest.text}` : "it is an answer: nothing is missing";
  return {
    key: why.key, name: why.name, status: why.weakest ? "excluded" : "known", probability: why.truth,
    support: lacks, proof: why.proof, weakest: why.weakest, image: null,
  };
}

export function whyNotForm(found, asked, completed) {
  const field = element("input", { id: "why-entity", type: "text", autocomplete: "off", required: true });
  const place = element("div", { "aria-live": "polite" });
  const form = element("form", { class: "why" },
    element("label", { for: "why-entity" }, "Why not …?"), completed(field),
    element("button", { type: "submit", class: "plain" }, "Explain"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const row = await whyNot(found.query, field.dataset.key || field.value, asked.without);
      place.replaceChildren(element("ol", { class: "answers" }, answerItem(row, 2001)));
      place.querySelector(".answer-head").click();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      place.replaceChildren(element("p", { class: "quiet" }, `${error.message} ${error.members.hint ?? ""}`));
    }
  });
  return element("section", { class: "whynot", "aria-label": "Why not" }, form, place);
}

export function rowLine(row) {
  const cells = row.map((cell) => element("td", { "data-key": cell.key }, link({ view: "entity", key: cell.key }, cell.name)));
  return element("tr", {}, ...cells);
}

export function rowsView(found) {
  return element("section", { class: "group known", "aria-labelledby": "title-known" },
    element("h2", { id: "title-known" }, badge("known"),
      element("span", { class: "quiet" }, ` ${found.total} rows, ${found.rows.length} shown`)),
    element("table", { class: "rows" },
      element("thead", {}, element("tr", {}, ...found.columns.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...found.rows.map(rowLine))));
}
