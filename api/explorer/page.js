// The page: which view is shown, the search box, the key.

import { Problem, getJson, keepKey } from "./client.js";
import { find, problemView } from "./dom.js";
import { VIEWS, go, onGo, readAddress } from "./address.js";
import { showAsk, showProblem, startAsking } from "./ask.js";
import { entityView } from "./entity.js";
import { readFacts } from "./facts.js";
import { searchView } from "./found.js";
import { jobsView } from "./jobs.js";
import { reviewView } from "./review.js";
import { savedView } from "./saved.js";

const MAKERS = { entity: entityView, search: searchView, review: reviewView, jobs: jobsView, saved: savedView };
const TITLES = { ask: "Ask", entity: "Entity", search: "Search", review: "Review", jobs: "Jobs", saved: "Saved" };
let running = null;

async function show(state, { focus = true } = {}) {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const asks = state.view === "ask";
  find("view-ask").hidden = !asks;
  find("view").hidden = asks;
  document.title = asks ? "Umbra" : `${TITLES[state.view]} · Umbra`;
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.dataset.view === state.view) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  if (state.s !== undefined) find("search").value = state.s;
  if (asks) {
    showAsk(state);
    return;
  }
  find("view").setAttribute("aria-busy", "true");
  try {
    const made = await MAKERS[state.view](state, mine.signal, () => show(state));
    if (mine.signal.aborted) return;
    find("view").replaceChildren(...made);
    if (focus) find("view").querySelector("h2")?.focus();
  } catch (error) {
    if (error.name === "AbortError" || mine.signal.aborted) return;
    const members = error instanceof Problem ? error.members : { title: "The page failed", detail: String(error) };
    if (members.status === 401) askForKey();
    find("view").replaceChildren(problemView(members));
  }
  find("view").setAttribute("aria-busy", "false");
}

async function readGraph() {
  try {
    const info = await getJson("/v1/info");
    const parts = info.num_parts ? `, ${info.num_parts.toLocaleString()} parts of pictures` : "";
    find("graph").textContent = `${info.num_entities.toLocaleString()} entities, ${info.num_edges.toLocaleString()} edges${parts}`;
    startAsking(info);
  } catch (error) {
    find("graph").textContent = "";
    showProblem(error, "");
  }
}

function askForKey() {
  find("key-form").hidden = false;
  find("key").focus();
}

// Verdicts are read first: a question leaves out what people have rejected.
async function start() {
  const graph = readGraph();
  await readFacts().catch(() => {});
  await Promise.all([show(readAddress(), { focus: false }), graph]);
}

for (const anchor of document.querySelectorAll("nav a")) {
  anchor.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ view: VIEWS.includes(anchor.dataset.view) ? anchor.dataset.view : "ask" });
  });
}
find("search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (find("search").value.trim()) go({ view: "search", s: find("search").value.trim() });
});
find("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  keepKey(find("key").value);
  find("key-form").hidden = true;
  await start();
});
document.addEventListener("umbra-key", askForKey);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  find("search").focus();
});
onGo((state) => show(state));
start();
