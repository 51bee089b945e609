// Asking without a language: conditions become a text of Cypher, which is shown and asked.

import { completed } from "./complete.js";
import { button, element, spaced } from "./dom.js";

const text = (value) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const named = (name) => (/^\w+$/.test(name) ? name : `\`${name}\``);

function pattern(steps) {
  return `(c)${steps.map(({ relation, inverse, key, name }) => {
    const node = key ? `({key: ${text(key)}})` : name ? `({name: ${text(name)}})` : "()";
    return `${inverse ? "<" : ""}-[:${named(relation)}]-${inverse ? "" : ">"}${node}`;
  }).join("")}`;
}

// Conditions: [{not, steps: [{relation, inverse, key, name}]}].
export function cypherOf(label, conditions) {
  const kept = conditions.filter((one) => one.steps.length);
  const lines = [`MATCH (c${label ? `:${named(label)}` : ""})`];
  for (const one of kept.filter((one) => !one.not)) lines.push(`MATCH ${pattern(one.steps)}`);
  const nots = kept.filter((one) => one.not).map((one) => `NOT ${pattern(one.steps)}`);
  if (nots.length) lines.push(`WHERE ${nots.join(" AND ")}`);
  return [...lines, "RETURN c"].join("\n");
}

function option(value, shown) {
  return element("option", { value }, shown);
}

function stepView(schema) {
  const relation = element("select", { "aria-label": "Relation", class: "relation" });
  for (const name of Object.keys(schema.relations).sort()) {
    relation.append(option(`>${name}`, `${spaced(name)} →`), option(`<${name}`, `← ${spaced(name)}`));
  }
  const target = element("input", { type: "text", "aria-label": "Of what; empty for anything", placeholder: "anything", autocomplete: "off", class: "target" });
  const view = element("span", { class: "step" }, relation, completed(target));
  view.read = () => ({
    relation: relation.value.slice(1), inverse: relation.value[0] === "<", key: target.dataset.key, name: target.value.trim(),
  });
  return view;
}

function conditionView(schema, onGone) {
  const not = element("select", { "aria-label": "Must or must not hold", class: "not" }, option("", "which"), option("not", "but not"));
  const steps = element("span", { class: "steps" }, stepView(schema));
  const view = element("div", { class: "condition", role: "group", "aria-label": "Condition" }, not, steps,
    button("and from there", () => {
      const step = stepView(schema);
      steps.append(element("span", { class: "quiet" }, "that"), step);
      step.querySelector("select").focus();
    }),
    button("Remove", () => { view.remove(); onGone(); }));
  view.read = () => ({ not: not.value === "not", steps: [...steps.querySelectorAll(".step")].map((step) => step.read()) });
  return view;
}

// The form; `onChange` gets the text after every change.
export function questionForm(schema, onChange) {
  const labels = Object.entries(schema.labels).sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const usual = labels.find((name) => name !== "Part") ?? "";
  const label = element("select", { id: "form-label" }, option("", "anything"), ...labels.map((name) => option(name, name)));
  label.value = usual;
  const rows = element("div", { class: "conditions" });
  const changed = () => onChange(cypherOf(label.value, [...rows.children].map((row) => row.read())));
  const add = () => { rows.append(conditionView(schema, changed)); return rows.lastChild; };
  const view = element("div", { class: "asking" },
    element("label", { for: "form-label" }, "Find every"), label, rows,
    button("Add a condition", () => { add().querySelector("select").focus(); changed(); }));
  view.addEventListener("change", changed);
  view.addEventListener("input", changed);
  add();
  view.tell = changed;
  return view;
}
