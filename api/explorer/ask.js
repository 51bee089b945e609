// The view that asks: by form or by text; its answers stand below.

import { Problem, postJson } from "./client.js";
import { button, element, find, problemView } from "./dom.js";
import { addressOf, go, link } from "./address.js";
import { answerGroups, excludedGroup, rowLine, rowsView, whyNotForm } from "./answers.js";
import { completeText, completed } from "./complete.js";
import { examplesFor } from "./examples.js";
import { rejected } from "./facts.js";
import { questionForm } from "./form.js";
import { moreAnswers } from "./more.js";
import { isPlain, readPlain, readView } from "./plain.js";
import { recipeView } from "./recipe.js";
import { ofQuestion } from "./suggested.js";

const fields = { q: find("question"), k: find("k"), answerer: find("answerer") };
const shown = { answers: find("answers"), problem: find("problem"), status: find("status") };
const tabs = { form: find("tab-form"), text: find("tab-text") };
let running = null;
let schema = null;
let asked = null;

async function ask({ remember = true, open } = {}) {
  if (isPlain(fields.q.value)) {
    read(fields.q.value.trim());
    return;
  }
  asked = { view: "ask", q: fields.q.value, k: Number(fields.k.value), answerer: fields.answerer.value };
  if (remember) go(asked, { show: false });
  running?.abort(); // the server ends a question that nobody waits for
  const mine = new AbortController();
  running = mine;
  const without = rejected();
  const body = { query: asked.q, k: asked.k, answerer: asked.answerer, without };
  show({ status: "Asking …", busy: true });
  const started = performance.now();
  try {
    const found = await postJson("/v1/query", body, { signal: mine.signal });
    showAnswers(found, { ...asked, without }, body, performance.now() - started);
    if (open) shown.answers.querySelector(`[data-key="${CSS.escape(open)}"] .answer-head`)?.click();
    if (found.rows) return;
    const excluded = await excludedGroup(found, body, mine.signal);
    if (excluded) shown.answers.querySelector(".group.likely").after(excluded);
  } catch (error) {
    if (error.name !== "AbortError") showProblem(error, asked.q);
  } finally {
    if (running === mine) shown.answers.setAttribute("aria-busy", "false");
  }
}

// The query takes the place of the sentence; whether it is the right one, a person says.
async function read(question) {
  choose("text");
  running?.abort();
  const mine = new AbortController();
  running = mine;
  show({ status: "Reading …", busy: true });
  try {
    const found = await readPlain(question, mine.signal);
    fields.q.value = found.query;
    show({ status: "Read, not asked yet", answers: [readView(found, () => ask())] });
    shown.answers.querySelector(".ask-it").focus();
  } catch (error) {
    if (error.name !== "AbortError") showProblem(error, question);
  } finally {
    if (running === mine) shown.answers.setAttribute("aria-busy", "false");
  }
}

function show({ status = "", busy = false, problem = [], answers = [] }) {
  shown.status.textContent = status;
  shown.answers.setAttribute("aria-busy", String(busy));
  shown.problem.replaceChildren(...problem);
  shown.answers.replaceChildren(...answers.filter(Boolean));
}

function notes(found, without) {
  const texts = found.warnings.map((text) => element("p", { class: "card warning" }, `Note: ${text}`));
  if (!without.length) return texts;
  const count = `${without.length} fact${without.length > 1 ? "s" : ""}`;
  return [...texts, element("p", { class: "card warning" }, `Note: ${count} that people rejected left out. `,
    link({ view: "review" }, "See the verdicts"))];
}

function showAnswers(found, asked, body, tookMs) {
  const facts = [`${Math.round(tookMs)} ms`, found.answerer, found.structure, `snapshot ${found.snapshot.slice(0, 12)}`];
  const counted = found.count && `${found.count.known} known, ${found.count.expected_likely.toFixed(1)} more likely`;
  const likely = found.answers.filter((answer) => answer.status === "likely").length;
  show({
    status: counted || `${found.total_known} known, ${found.rows ? "no" : likely} likely shown`,
    busy: true, // until the excluded ones are there too
    answers: [
      ...notes(found, asked.without),
      ...(found.rows ? [rowsView(found.rows)] : answerGroups(found)),
      moreAnswers(found, body, rowLine),
      ...(found.rows ? [] : [ofQuestion(asked, running?.signal), whyNotForm(found, asked, completed)]),
      recipeView(asked, asked.q.replaceAll(/\s+/g, " ").slice(0, 80), [
        element("p", {}, facts.filter(Boolean).join(" · ")),
        element("p", {}, "The question as it was read:"),
        element("pre", {}, JSON.stringify(found.query, null, 1))]),
    ],
  });
}

export function showProblem(error, text) {
  const members = error instanceof Problem ? error.members : { title: "The page failed", detail: String(error) };
  show({ problem: [problemView(members, text)] });
  if (members.status === 401) document.dispatchEvent(new CustomEvent("umbra-key"));
  else if (typeof members.position === "number") {
    choose("text");
    fields.q.focus();
    fields.q.setSelectionRange(members.position, members.position + 1);
  }
}

// By form or by text; the form writes the text, so that both always say the same.
function choose(kind) {
  for (const [name, tab] of Object.entries(tabs)) {
    tab.setAttribute("aria-selected", String(name === kind));
    tab.tabIndex = name === kind ? 0 : -1;
    find(`panel-${name}`).hidden = name !== kind;
  }
  if (kind === "form") openForm();
}

function openForm() {
  const panel = find("panel-form");
  if (panel.querySelector(".asking") || !schema) return;
  const text = element("pre", { class: "quiet", "aria-label": "The question as text" });
  const form = questionForm(schema, (cypher) => { fields.q.value = cypher; text.textContent = cypher; });
  panel.replaceChildren(form, text);
  form.tell();
}

function offerExamples(examples) {
  const chips = examples.map((example) => button(example.title, () => {
    choose("text");
    fields.q.value = example.query;
    ask();
  }, { class: "chip" }));
  find("examples").hidden = chips.length === 0;
  find("examples").querySelector(".chips").replaceChildren(...chips);
  if (chips.length && !fields.q.value) fields.q.value = examples[0].query;
}

// Called once with what /v1/info says.
export function startAsking(info) {
  schema = info;
  fields.k.max = info.limits.max_answers;
  offerExamples(examplesFor(Object.keys(info.relations)));
  if (!find("panel-form").hidden) openForm(); // it was chosen before the graph was read
}

export function showAsk(state) {
  for (const [name, field] of Object.entries(fields)) if (state[name] !== undefined) field.value = state[name];
  if (fields.answerer.selectedIndex < 0) fields.answerer.value = "symbolic";
  if (state.q !== undefined && find("form").checkValidity()) ask({ remember: false, open: state.open });
  else if (state.q === undefined) { running?.abort(); show({}); }
}

find("form").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
completeText(fields.q, () => schema);
fields.q.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) find("form").requestSubmit();
});
for (const [name, tab] of Object.entries(tabs)) {
  tab.addEventListener("click", () => choose(name));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = name === "form" ? "text" : "form";
    choose(other);
    tabs[other].focus();
  });
}
// An open answer stands in the address, so that a link opens it again.
shown.answers.addEventListener("click", (event) => {
  const head = event.target.closest(".answer-head");
  const row = head?.closest(".group .answer");
  if (!row || !asked) return;
  const open = head.getAttribute("aria-expanded") === "true" ? row.dataset.key : undefined;
  history.replaceState(null, "", addressOf({ ...asked, open }));
});
