// Answers and rows beyond the first page: a page at a time, below what stands there.

import { postJson } from "./client.js";
import { element, find } from "./dom.js";
import { answerItem } from "./answers.js";
import { readOn } from "./paged.js";

const STATUSES = ["known", "likely"];
let place = 5000; // names what is unfolded; the first page counts from 1

const group = (name) => find("answers").querySelector(`.group.${name}`);
const countIn = (name) => group(name).querySelectorAll(".answer").length;

// A group that had nothing to show so far gets its list.
function listOf(name) {
  const known = group(name).querySelector("ol.answers");
  if (known) return known;
  const list = element("ol", { class: "answers" });
  group(name).querySelector(":scope > p")?.replaceWith(list);
  return list;
}

function addAnswers(page) {
  for (const answer of page.answers) listOf(answer.status).append(answerItem(answer, place++));
  const known = countIn("known");
  group("likely").querySelector("ol.answers")?.setAttribute("start", 1 + known);
  const left = known < page.total_known ? `, ${known} shown` : "";
  const notes = { known: ` ${page.total_known} in the graph${left}`, likely: ` ${countIn("likely")} shown` };
  for (const name of STATUSES) group(name).querySelector("h2 .quiet").textContent = notes[name];
  return `${known} known and ${countIn("likely")} likely shown`;
}

function addRows(page, lineOf) {
  const body = group("known").querySelector("tbody");
  body.append(...page.rows.rows.map(lineOf));
  const told = `${page.rows.total} rows, ${body.rows.length} shown`;
  group("known").querySelector("h2 .quiet").textContent = ` ${told}`;
  return told;
}

// A button that reads on, as long as there is something.
export function moreAnswers(found, body, lineOf) {
  return readOn(found.rows ? "More rows" : "More answers", found.next, async (_, next) => {
    const page = await postJson("/v1/query", { ...body, after: next });
    return { next: page.next, told: page.rows ? addRows(page, lineOf) : addAnswers(page) };
  }, "more-answers");
}
