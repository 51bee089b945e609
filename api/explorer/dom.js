// Builds elements. All text goes in as text nodes: nothing from the graph is markup.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export function drawing(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function button(text, onClick, attributes = {}) {
  const made = element("button", { type: "button", class: "plain", ...attributes }, text);
  made.addEventListener("click", onClick);
  return made;
}

export const spaced = (relation) => relation.replaceAll("_", " ");

export function percent(probability) {
  if (probability >= 1) return "100 %";
  if (probability <= 0) return "0 %";
  if (probability < 0.001) return "< 0.1 %";
  const shown = Math.min(99.9, Math.floor(probability * 1000) / 10);
  return `${shown.toFixed(shown < 10 || shown > 99 ? 1 : 0)} %`;
}

const STATUS = {
  known: { icon: "✓", word: "known" },
  likely: { icon: "≈", word: "likely" },
  predicted: { icon: "≈", word: "predicted" },
  absent: { icon: "∅", word: "must not hold" },
  excluded: { icon: "✕", word: "excluded" },
};

export function badge(status) {
  const { icon, word } = STATUS[status];
  return element("span", { class: `badge ${status}` },
    element("span", { "aria-hidden": "true" }, icon), ` ${word}`);
}

export function bar(share, label) {
  const width = Math.max(0, Math.min(1, share)) * 100;
  const told = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return drawing("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", ...told },
    drawing("rect", { class: "bar-all", width: 100, height: 6 }),
    drawing("rect", { class: "bar-part", width, height: 6 }));
}

const HASH = /^[0-9a-f]{64}$/;

export const isHash = (text) => HASH.test(text);

// Where a record says that a fact stands: file and row, document and characters, picture and box.
export function sourceOf(record) {
  const source = isHash(record.source) ? `picture ${record.source.slice(0, 12)}` : record.source;
  return [source, record.locator].filter(Boolean).join(", ");
}

export function recordLine(record) {
  const sure = record.probability < 1 ? `, ${percent(record.probability)}` : "";
  const by = record.model ? ` by ${record.model}` : "";
  return `${record.kind}: ${sourceOf(record)}${by}${sure}`;
}

// The same without the place within a picture: enough for one line.
export function briefLine(record) {
  return recordLine(isHash(record.source) ? { ...record, locator: null, model: null } : record);
}

export function recordList(records) {
  if (!records.length) return null;
  return element("ul", { class: "records" }, ...records.map((one) => element("li", {}, recordLine(one),
    one.text ? element("blockquote", {}, one.text) : null)));
}

export function problemView(members, text = "") {
  const place = typeof members.position === "number" && text ? markedLine(text, members.position) : null;
  return element("div", { class: "card problem", "data-type": members.type },
    element("h2", {}, members.title || "The request failed"),
    members.detail ? element("p", {}, members.detail) : null,
    place,
    members.hint ? element("p", { class: "hint" }, `Next: ${members.hint}`) : null);
}

function markedLine(text, position) {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", position);
  const line = text.slice(start, end < 0 ? text.length : end);
  return element("pre", {}, `${line}\n${" ".repeat(Math.max(0, position - start))}`, element("mark", {}, "^"));
}
