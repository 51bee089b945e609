// What is seen, as the command that shows the same; saved questions, kept in this browser.

import { button, element } from "./dom.js";
import { addressOf } from "./address.js";

const KEPT = "umbra-saved";

export const quoted = (text) => `'${String(text).replaceAll("'", `'"'"'`)}'`;

export const factCommand = ({ verdict, head, relation, tail, who }) =>
  `umbra facts ${verdict} ${[head, relation, tail].map(quoted).join(" ")} --who ${quoted(who)}`;

export const linkCommand = (mentions) =>
  `printf '%s\\n' ${mentions.map((one) => quoted(JSON.stringify(one))).join(" ")} > mentions.jsonl\numbra link run mentions.jsonl --out links.jsonl`;

// A state that did something says itself what does the same.
export function commandOf(state) {
  if (state.command) return state.command;
  if (state.view === "search") {
    return `umbra search ${quoted(state.s)} ${state.within ? `-k 100 --within ${quoted(state.within)}` : "-k 20"}`;
  }
  if (state.view === "entity") {
    return `umbra cypher ${quoted(`MATCH (n {key: '${state.key.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'})-[r]-(m) RETURN type(r) AS relation, m.key AS key, m.name AS name LIMIT 100`)}`;
  }
  if (state.view === "review") return "umbra link review --list";
  if (state.view === "jobs") return "umbra jobs list";
  const left = (state.without ?? []).map((edge) => ` --without ${quoted(edge.map(shellWord).join(" "))}`);
  return `umbra ask --k ${state.k} --answerer ${state.answerer}${left.join("")} ${quoted(state.q)}`;
}

const shellWord = (text) => (/^[\w:./-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);

export function saved() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

export function keep(list) {
  localStorage.setItem(KEPT, JSON.stringify(list));
}

export function save(name, state) {
  const entry = { name, address: addressOf(addressed(state)), command: commandOf(state), at: new Date().toISOString() };
  keep([entry, ...saved().filter((one) => one.command !== entry.command)]);
}

const addressed = ({ without, command, ...state }) => state;

// The recipe: a script for the shell, one command a saved thing, with its name above it.
export function recipe(list) {
  const lines = list.map((one) => `# ${one.name.replaceAll(/\s+/g, " ")}\n${one.command}\n`);
  return `#!/bin/sh\n# Saved in Umbra's explorer; run it in the folder of the graph.\nset -e\n\n${lines.join("\n")}`;
}

export function download(name, text, kind = "text/plain") {
  const url = URL.createObjectURL(new Blob([text], { type: kind }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// Under every view: the same on the command line, and a button that saves it.
export function recipeView(state, name, more = []) {
  const told = element("span", { class: "quiet", role: "status" });
  const saving = button("Save this", () => {
    save(name, state);
    told.textContent = " Saved: see the page “Saved”.";
  }, { class: "plain save" });
  return element("details", { class: "quiet recipe" },
    element("summary", {}, "The same on the command line"),
    element("pre", {}, commandOf(state)), saving, told, ...more);
}
