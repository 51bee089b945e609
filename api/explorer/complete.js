// Completion: entities in a field, and labels, relations and entities within a text of Cypher.

import { getJson } from "./client.js";
import { element } from "./dom.js";

const MOST = 8;
const WAIT_MS = 120;
let lists = 0;

export async function entitiesLike(prefix, signal) {
  if (!prefix.trim()) return [];
  const found = await getJson(`/v1/reconcile/suggest/entity?prefix=${encodeURIComponent(prefix)}`, { signal });
  return found.result.map((one) => ({ value: one.name, key: one.id, note: one.notable?.[0]?.name ?? "" }));
}

// A field of any kind with a list under it. `suggest` gives choices, `take` puts one in.
function withList(field, suggest, take) {
  const id = `list-${++lists}`;
  const list = element("ul", { id, class: "choices", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const told = element("span", { class: "unseen", role: "status" });
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", id);
  let choices = [];
  let at = -1;
  let waiting = null;
  let asking = null;

  const close = () => {
    choices = [];
    list.hidden = true;
    told.textContent = "";
    mark(-1);
  };
  const mark = (n) => {
    at = n;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === n)));
    if (n < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `${id}-${n}`);
    if (field.role === "combobox") field.setAttribute("aria-expanded", String(!list.hidden));
  };
  const choose = (n) => {
    take(choices[n]);
    close();
    field.focus();
  };
  const show = (found) => {
    choices = found.slice(0, MOST);
    list.replaceChildren(...choices.map((choice, n) => {
      const item = element("li", { id: `${id}-${n}`, role: "option", "aria-selected": "false" }, choice.value,
        element("span", { class: "quiet" }, choice.note ? ` ${choice.note}` : ""));
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(n); });
      return item;
    }));
    list.hidden = choices.length === 0;
    told.textContent = choices.length ? `${choices.length} suggestions, arrow keys choose` : "";
    mark(-1);
  };
  const look = async () => {
    asking?.abort();
    asking = new AbortController();
    const mine = asking;
    try {
      const found = await suggest(mine.signal);
      if (mine === asking && document.activeElement === field) show(found);
    } catch {
      close(); // a list that fails must not stand in the way of typing
    }
  };
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, WAIT_MS); });
  field.addEventListener("blur", () => { clearTimeout(waiting); asking?.abort(); close(); });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark((at + step + choices.length) % choices.length);
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) choose(at);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  return [list, told];
}

// A field for one entity: its key is kept beside its name.
export function completed(field) {
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "false");
  field.addEventListener("input", () => { delete field.dataset.key; });
  const take = (choice) => {
    field.value = choice.value;
    field.dataset.key = choice.key;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  return element("span", { class: "completed" }, field, ...withList(field, (signal) => entitiesLike(field.value, signal), take));
}

const PLACES = [
  { kind: "relations", pattern: /\[\s*\w*\s*:\s*(?:\w+\s*\|\s*)*(\w*)$/ },
  { kind: "labels", pattern: /\(\s*\w*\s*:\s*(\w*)$/ },
  { kind: "key", pattern: /\{\s*key\s*:\s*'([^']*)$/ },
  { kind: "name", pattern: /\{\s*name\s*:\s*'([^']*)$/ },
];

// What stands at the caret, and how much of it is typed.
export function placeAt(text) {
  for (const { kind, pattern } of PLACES) {
    const match = pattern.exec(text);
    if (match) return { kind, typed: match[1] };
  }
  return null;
}

// `schema` is what /v1/info says, once it is there.
export function completeText(field, schema) {
  let place = null;
  const suggest = async (signal) => {
    place = placeAt(field.value.slice(0, field.selectionStart));
    if (!place) return [];
    if (place.kind === "name" || place.kind === "key") return entitiesLike(place.typed, signal);
    const counted = Object.entries(schema()?.[place.kind] ?? {});
    const begins = place.typed.toLowerCase();
    return counted.filter(([name]) => name.toLowerCase().includes(begins) && name !== place.typed)
      .sort((a, b) => b[0].toLowerCase().startsWith(begins) - a[0].toLowerCase().startsWith(begins) || b[1] - a[1])
      .map(([name, count]) => ({ value: name, note: count.toLocaleString() }));
  };
  const take = (choice) => {
    const end = field.selectionStart;
    const start = end - place.typed.length;
    const text = (place.kind === "key" ? choice.key : choice.value).replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    field.setRangeText(text, start, end, "end");
  };
  field.after(...withList(field, suggest, take));
}
