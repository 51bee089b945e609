// Builds what the page shows. All text goes in as text nodes: nothing from the graph is markup.

import { pictureUrl } from "./client.js";

const SVG = "http://www.w3.org/2000/svg";

const STATUS = {
  known: { icon: "✓", word: "known" },
  likely: { icon: "≈", word: "likely" },
  predicted: { icon: "≈", word: "predicted" },
  absent: { icon: "∅", word: "must not hold" },
};

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

function drawing(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function badge(status) {
  const { icon, word } = STATUS[status];
  return element("span", { class: `badge ${status}` },
    element("span", { "aria-hidden": "true" }, icon), ` ${word}`);
}

function percent(probability) {
  if (probability >= 1) return "100 %";
  if (probability <= 0) return "0 %";
  const shown = Math.min(99.9, Math.floor(probability * 1000) / 10);
  return `${shown.toFixed(shown < 10 || shown > 99 ? 1 : 0)} %`;
}

function bar(probability) {
  const width = Math.max(0, Math.min(1, probability)) * 100;
  return drawing("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("rect", { class: "bar-all", width: 100, height: 6 }),
    drawing("rect", { class: "bar-part", width, height: 6 }));
}

const HASH = /^[0-9a-f]{64}$/;
const BOX = /^box (-?[\d.]+),(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)$/;

function recordLine(record) {
  const source = HASH.test(record.source) ? `picture ${record.source.slice(0, 12)}` : record.source;
  const place = [source, record.locator].filter(Boolean).join(", ");
  const sure = record.probability < 1 ? `, ${percent(record.probability)}` : "";
  const by = record.model ? ` by ${record.model}` : "";
  return `${record.kind}: ${place}${by}${sure}`;
}

function record(one) {
  return element("li", {}, recordLine(one),
    one.text ? element("blockquote", {}, one.text) : null);
}

function proofEdge(edge) {
  const odds = edge.status === "absent"
    ? `${percent(edge.probability)} that it does not` : percent(edge.probability);
  const records = edge.records.length
    ? element("ul", { class: "records" }, ...edge.records.map(record)) : null;
  const reasons = edge.reasons.length
    ? element("ul", { class: "records" }, ...edge.reasons.map((text) => element("li", {}, `because ${text}`)))
    : null;
  return element("li", { class: `edge ${edge.status}`, "data-status": edge.status },
    element("p", {},
      badge(edge.status), " ",
      element("b", { title: edge.head }, edge.head_name),
      element("span", { class: "arrow" }, ` — ${edge.relation.replaceAll("_", " ")} → `),
      element("b", { title: edge.tail }, edge.tail_name),
      element("span", { class: "odds" }, ` ${odds}`)),
    records, reasons);
}

function outlineOf(part) {
  if (part.outline) return { tag: "path", shape: { d: part.outline } };
  const [left, top, right, bottom] = part.box_xyxy;
  return { tag: "rect", shape: { x: left, y: top, width: right - left, height: bottom - top } };
}

// A picture with one shape outlined: a light line under a strong one, seen on every ground.
function outlinedPicture(image, label, { tag, shape }) {
  const picture = drawing("image", {});
  const drawn = drawing("svg", { class: "picture", role: "img", "aria-label": label }, picture,
    drawing(tag, { ...shape, class: "outline under" }), drawing(tag, { ...shape, class: "outline over" }));
  const fit = (width, height) => {
    drawn.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("width", width);
    picture.setAttribute("height", height);
  };
  if (image.width) fit(image.width, image.height);
  pictureUrl(image.sha256).then(async (url) => {
    if (!image.width) {
      const measured = new Image();
      measured.src = url;
      await measured.decode();
      fit(measured.naturalWidth, measured.naturalHeight);
    }
    picture.setAttribute("href", url);
  }).catch(() => drawn.remove());
  return drawn;
}

function partFigure(part, owner) {
  const image = { sha256: part.image, width: part.width, height: part.height };
  return element("figure", { class: "part", "data-part": part.key },
    outlinedPicture(image, `${part.name}, outlined in the picture of ${owner}`, outlineOf(part)),
    element("figcaption", {}, `${part.name} in the picture of ${owner}`,
      element("span", { class: "quiet" }, `, seen with ${percent(part.confidence)}`)));
}

// Where a model saw what an edge says, if no part of that picture is in the proof anyway.
function seenFigures(proof) {
  const shown = new Set(proof.parts.map((part) => part.image));
  const figures = [];
  for (const edge of proof.edges) {
    const record = edge.records.find((one) => one.kind === "generated" && HASH.test(one.source) && BOX.test(one.locator ?? ""));
    if (!record || shown.has(record.source)) continue;
    const [left, top, right, bottom] = BOX.exec(record.locator).slice(1).map(Number);
    const shape = { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
    const text = `${edge.tail_name} in the picture of ${edge.head_name}`;
    figures.push(element("figure", { class: "part", "data-seen": edge.tail },
      outlinedPicture({ sha256: record.source }, `${text}, outlined`, { tag: "rect", shape }),
      element("figcaption", {}, text, element("span", { class: "quiet" }, `, seen with ${percent(record.probability)}`))));
  }
  return figures;
}

// The structure of the question with every variable bound; the list above it shows the best edges.
function treeItem(node) {
  const text = {
    projection: () => `${node.edge.head_name} — ${node.edge.relation.replaceAll("_", " ")} → ${node.edge.tail_name}`,
    intersection: () => `${node.name}: all of`,
    union: () => `${node.name}: any of`,
    gap: () => `nothing found for ${node.name}: ${node.text}`,
  }[node.kind]?.() ?? node.text ?? node.name;
  const status = node.edge ? badge(node.edge.status) : node.kind === "negation" ? badge("absent") : null;
  const below = node.branches.length ? element("ul", {}, ...node.branches.map(treeItem)) : null;
  return element("li", {}, status, status ? " " : null, text,
    element("span", { class: "odds" }, ` ${percent(node.edge ? node.edge.probability : node.truth)}`), below);
}

function proofTree(tree) {
  if (!tree.branches.length) return null;
  return element("details", { class: "tree" },
    element("summary", {}, "The whole proof"), element("ul", {}, treeItem(tree)));
}

function proofView(proof) {
  const names = new Map(proof.edges.flatMap((edge) => [[edge.head, edge.head_name], [edge.tail, edge.tail_name]]));
  const figures = [
    ...proof.parts.map((part) => partFigure(part, names.get(part.parent) ?? part.parent)),
    ...seenFigures(proof),
  ];
  const facts = proof.facts.map((fact) => element("li", {}, fact));
  return [
    figures.length ? element("div", { class: "parts" }, ...figures) : null,
    element("ol", { class: "edges" }, ...proof.edges.map(proofEdge)),
    facts.length ? element("ul", { class: "facts" }, ...facts) : null,
    proofTree(proof.tree),
  ];
}

// What an answer rests on least firmly: a record of the graph, or a step that is only likely.
function weakestOf(answer) {
  if (answer.weakest) return `weakest support: ${recordLine(answer.weakest)}`;
  const steps = (answer.proof?.edges ?? []).filter((edge) => edge.status === "predicted");
  if (!steps.length) return null;
  const step = steps.reduce((least, edge) => (edge.probability < least.probability ? edge : least));
  const relation = step.relation.replaceAll("_", " ");
  return `weakest step: ${step.head_name} ${relation} ${step.tail_name}, ${percent(step.probability)}`;
}

function thumbnail(image) {
  if (!image) return element("span", { class: "thumb" });
  const shown = element("img", { class: "thumb", alt: "", width: 48, height: 32 });
  pictureUrl(image.sha256).then((url) => { shown.src = url; }).catch(() => {});
  return shown;
}

export function answerItem(answer, place) {
  const id = `proof-${place}`;
  const support = weakestOf(answer);
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
    if (opens && !body.hasChildNodes()) {
      const inside = answer.proof ? proofView(answer.proof) : [element("p", { class: "quiet" }, "No proof came with this answer.")];
      body.append(...inside.filter(Boolean));
    }
    body.hidden = !opens;
    head.setAttribute("aria-expanded", String(opens));
  });
  return element("li", { class: `answer ${answer.status}`, "data-key": answer.key, "data-status": answer.status }, head, body);
}

export function answerGroup(title, note, answers, first) {
  const name = title.toLowerCase();
  const rows = answers.length
    ? element("ol", { class: "answers", start: first }, ...answers.map((answer, n) => answerItem(answer, first + n)))
    : element("p", { class: "quiet" }, "None.");
  return element("section", { class: `group ${name}`, "aria-labelledby": `title-${name}` },
    element("h2", { id: `title-${name}` }, badge(name), element("span", { class: "quiet" }, ` ${note}`)), rows);
}

export function rowsView(found) {
  const cells = (row) => row.map((cell) => element("td", { "data-key": cell.key }, cell.name));
  return element("section", { class: "group known", "aria-labelledby": "title-known" },
    element("h2", { id: "title-known" }, badge("known"),
      element("span", { class: "quiet" }, ` ${found.total} rows, ${found.rows.length} shown`)),
    element("table", { class: "rows" },
      element("thead", {}, element("tr", {}, ...found.columns.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...found.rows.map((row) => element("tr", {}, ...cells(row))))));
}

export function problemView(members, text) {
  const place = typeof members.position === "number" ? markedLine(text, members.position) : null;
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
