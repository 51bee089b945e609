// Jobs and how far they are; looked at again while one runs.

import { getJson, getText, postJson } from "./client.js";
import { bar, button, element } from "./dom.js";
import { go } from "./address.js";
import { readOn } from "./paged.js";
import { download, linkCommand, recipeView } from "./recipe.js";

const EVERY_MS = 700;
const RUNS = ["pending", "running"];

const ACTIONS = {
  pending: ["pause", "cancel"], running: ["pause", "cancel"], paused: ["resume", "cancel"],
  failed: ["retry"], cancelled: ["retry"], done: [],
};

const capital = (name) => name[0].toUpperCase() + name.slice(1);

function jobLine(job, changed) {
  const share = job.total ? job.done / job.total : job.state === "done" ? 1 : 0;
  const told = element("span", { class: "quiet", role: "status" });
  const act = (name) => button(capital(name), async () => {
    try {
      const options = name === "cancel" ? { method: "DELETE" } : { method: "POST" };
      await getJson(`/v1/jobs/${encodeURIComponent(job.id)}${name === "cancel" ? "" : `/${name}`}`, options);
      changed();
    } catch (error) {
      told.textContent = error.message;
    }
  }, { "aria-label": `${capital(name)} job ${job.id}` });
  const review = button("Review its links", async () => {
    const { new_cases: made } = await postJson("/v1/review/cases", { job: job.id });
    told.textContent = ` ${made} new cases`;
    go({ view: "review" });
  }, { "aria-label": `Review its links: job ${job.id}` });
  const output = button("Take its output", async () => {
    try {
      download(`${job.id}.jsonl`, await getText(job.output), "application/x-ndjson");
    } catch (error) {
      told.textContent = error.message;
    }
  }, { "aria-label": `Take its output: job ${job.id}` });
  const counts = Object.entries(job.counts).filter(([, n]) => n).map(([name, n]) => `${n} ${name}`).join(", ");
  return element("li", { class: `job card ${job.state}`, "data-job": job.id },
    element("p", {}, element("b", {}, job.kind), ` ${job.id} `, element("span", { class: `state ${job.state}` }, job.state)),
    bar(share, `${job.done} of ${job.total} ${job.unit}`),
    element("p", { class: "quiet" }, `${job.done.toLocaleString()} of ${job.total.toLocaleString()} ${job.unit}`, counts ? ` · ${counts}` : ""),
    job.error ? element("p", { class: "failed" }, job.error) : null,
    element("p", { class: "actions" }, ...ACTIONS[job.state].map(act), job.kind === "link" && job.state === "done" ? review : null, job.output ? output : null, told));
}

// Mentions one a line become a job that links them.
function startForm(changed) {
  const field = element("textarea", { id: "mentions", rows: 3, required: true, placeholder: "Turkish\nSyrian Arab Republic" });
  const told = element("p", { class: "quiet", role: "status" });
  const same = element("div", { class: "same" });
  const form = element("form", { class: "card" }, element("label", { for: "mentions" }, "Link mentions ", element("span", { class: "quiet" }, "one a line")), field,
    element("p", {}, element("button", { type: "submit", class: "plain" }, "Start a job")), told, same);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const mentions = field.value.split("\n").filter((line) => line.trim()).map((mention, n) => ({ id: `m${n + 1}`, mention: mention.trim(), context: "" }));
    try {
      await postJson("/v1/jobs", { kind: "link", parameters: { mentions } });
      field.value = "";
      same.replaceChildren(recipeView({ view: "jobs", command: linkCommand(mentions) }, `Link ${mentions.length} mentions`));
      changed();
    } catch (error) {
      told.textContent = `${error.message} ${error.members?.hint ?? ""}`;
    }
  });
  return form;
}

export async function jobsView(state, signal) {
  const list = element("ol", { class: "jobs", "aria-label": "Jobs" });
  const older = element("ol", { class: "jobs", "aria-label": "Older jobs", start: 101, hidden: true });
  const told = element("p", { class: "unseen", role: "status" });
  let before = "";
  let following = null;
  const look = async () => {
    const { jobs, next } = await getJson("/v1/jobs", { signal });
    following ??= next;
    const now = JSON.stringify(jobs);
    if (now === before) return jobs;
    before = now;
    const focused = document.activeElement?.getAttribute("aria-label");
    list.replaceChildren(...(jobs.length ? jobs.map((job) => jobLine(job, watch)) : [element("li", { class: "quiet" }, "None yet.")]));
    if (focused) list.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    const run = jobs.filter((job) => RUNS.includes(job.state));
    told.textContent = run.length ? `${run.length} running` : "No job runs";
    return jobs;
  };
  let waiting = null;
  const watch = async () => {
    clearTimeout(waiting);
    const jobs = await look().catch(() => null); // a server that is away for a moment is asked again
    if (signal.aborted) return;
    if (!jobs) waiting = setTimeout(watch, 5 * EVERY_MS);
    else if (jobs.some((job) => RUNS.includes(job.state))) waiting = setTimeout(watch, EVERY_MS);
  };
  await look();
  watch();
  const more = readOn("Older jobs", following, async (after) => {
    const page = await getJson(`/v1/jobs?after=${after}`);
    older.hidden = false;
    older.append(...page.jobs.map((job) => jobLine(job, watch)));
    return { next: page.next, told: `${older.children.length} older ones shown` };
  }, "more-jobs");
  return [element("h2", { class: "title", tabindex: "-1" }, "Jobs"), startForm(watch), told, list, older, more, recipeView(state, "Jobs")];
}
