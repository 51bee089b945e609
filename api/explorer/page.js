// The page: asks, shows, and keeps its address such that it can be sent to somebody.

import { Problem, getJson, keepKey, postJson } from "./client.js";
import { examplesFor } from "./examples.js";
import { answerGroup, element, problemView, rowsView } from "./view.js";

const find = (id) => document.getElementById(id);
const form = find("form");
const fields = { q: find("question"), k: find("k"), answerer: find("answerer") };
const shown = { answers: find("answers"), problem: find("problem"), status: find("status") };
let running = null;

async function ask({ remember = true } = {}) {
  const asked = { query: fields.q.value, k: Number(fields.k.value), answerer: fields.answerer.value };
  if (remember) rememberInAddress();
  running?.abort(); // the server ends a question that nobody waits for
  const mine = new AbortController();
  running = mine;
  show({ status: "Asking …", busy: true });
  const started = performance.now();
  try {
    const found = await postJson("/v1/query", asked, { signal: mine.signal });
    showAnswers(found, asked, performance.now() - started);
  } catch (error) {
    if (error.name !== "AbortError") showProblem(error, asked.query);
  }
}

function show({ status = "", busy = false, problem = [], answers = [] }) {
  shown.status.textContent = status;
  shown.answers.setAttribute("aria-busy", String(busy));
  shown.problem.replaceChildren(...problem);
  shown.answers.replaceChildren(...answers);
}

function showAnswers(found, asked, tookMs) {
  const known = found.answers.filter((answer) => answer.status === "known");
  const likely = found.answers.filter((answer) => answer.status === "likely");
  const total = `${found.total_known} in the graph` + (known.length < found.total_known ? `, ${known.length} shown` : "");
  const warnings = found.warnings.map((text) => element("p", { class: "card warning" }, `Note: ${text}`));
  const facts = [`${Math.round(tookMs)} ms`, found.answerer, found.structure, `snapshot ${found.snapshot.slice(0, 12)}`];
  const counted = found.count && `${found.count.known} known, ${found.count.expected_likely.toFixed(1)} more likely`;
  const groups = found.rows ? [rowsView(found.rows)] : [
    answerGroup("Known", total, known, 1),
    answerGroup("Likely", `${likely.length} shown`, likely, 1 + known.length),
  ];
  show({
    status: counted || `${found.total_known} known, ${found.rows ? "no" : likely.length} likely shown`,
    answers: [
      ...warnings,
      ...groups,
      element("details", { class: "quiet" },
        element("summary", {}, facts.filter(Boolean).join(" · ")),
        element("p", {}, "The same on the command line:"),
        element("pre", {}, command(asked)),
        element("p", {}, "The question as it was read:"),
        element("pre", {}, JSON.stringify(found.query, null, 1))),
    ],
  });
}

function command(asked) {
  const quoted = `'${asked.query.replaceAll("'", `'"'"'`)}'`;
  return `umbra ask --k ${asked.k} --answerer ${asked.answerer} ${quoted}`;
}

function showProblem(error, text) {
  const members = error instanceof Problem ? error.members : { title: "The page failed", detail: String(error) };
  show({ problem: [problemView(members, text)] });
  find("key-form").hidden = members.status !== 401;
  if (members.status === 401) find("key").focus();
  else if (typeof members.position === "number") {
    fields.q.focus();
    fields.q.setSelectionRange(members.position, members.position + 1);
  }
}

function rememberInAddress() {
  const address = new URL(location.pathname, location.origin);
  for (const [name, field] of Object.entries(fields)) address.searchParams.set(name, field.value);
  if (address.href !== location.href) history.pushState(null, "", address);
}

function readAddress() {
  const given = new URLSearchParams(location.search);
  for (const [name, field] of Object.entries(fields)) {
    if (given.has(name)) field.value = given.get(name);
  }
  if (fields.answerer.selectedIndex < 0) fields.answerer.value = "symbolic";
  if (given.has("q") && form.checkValidity()) ask({ remember: false });
}

async function readGraph() {
  try {
    const info = await getJson("/v1/info");
    const parts = info.num_parts ? `, ${info.num_parts.toLocaleString()} parts of pictures` : "";
    find("graph").textContent =
      `${info.num_entities.toLocaleString()} entities, ${info.num_edges.toLocaleString()} edges${parts}`;
    fields.k.max = info.limits.max_answers;
    offerExamples(examplesFor(Object.keys(info.relations)));
  } catch (error) {
    find("graph").textContent = "";
    showProblem(error, "");
  }
}

function offerExamples(examples) {
  const chips = examples.map((example) => {
    const chip = element("button", { type: "button", class: "chip" }, example.title);
    chip.addEventListener("click", () => { fields.q.value = example.query; ask(); });
    return chip;
  });
  find("examples").hidden = chips.length === 0;
  find("examples").querySelector(".chips").replaceChildren(...chips);
  if (chips.length && !fields.q.value) fields.q.value = examples[0].query;
}

form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
fields.q.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
find("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  keepKey(find("key").value);
  find("key-form").hidden = true;
  show({});
  await readGraph();
  readAddress();
});
window.addEventListener("popstate", readAddress);

readGraph();
readAddress();
