// One entity: its picture with parts outlined, its neighbours as a graph and as a list.

import { getJson, pictureUrl } from "./client.js";
import { badge, element, percent, recordList, spaced } from "./dom.js";
import { go, link } from "./address.js";
import { factButtons } from "./facts.js";
import { MOST_NODES, addPictures, graphView } from "./graph.js";
import { sides } from "./layout.js";
import { lights } from "./lights.js";
import { readOn } from "./paged.js";
import { partsFigure } from "./picture.js";
import { recipeView } from "./recipe.js";

const PAGE = 100;
const MOST_PICTURES = 6;

function other(edge, key) {
  return edge.head === key ? { key: edge.tail, name: edge.tail_name, out: true } : { key: edge.head, name: edge.head_name, out: false };
}

// Few of each relation rather than all of one, so that a hub shows what kinds it has; parts of
// pictures first, since the picture beside the graph shows them.
export function chosen(found, most = MOST_NODES) {
  const groups = new Map();
  for (const edge of found.edges) {
    const end = other(edge, found.key);
    if (end.key === found.key) continue;
    const kind = `${end.out} ${edge.relation}`;
    if (!groups.has(kind)) groups.set(kind, []);
    groups.get(kind).push(edge);
  }
  const queues = [...groups.entries()].sort(([a], [b]) => (b === "true has_part") - (a === "true has_part")).map(([, edges]) => [...edges]);
  const kept = [];
  const keys = new Set();
  while (queues.some((queue) => queue.length) && keys.size < most) {
    for (const queue of queues) {
      if (!queue.length || keys.size >= most) continue;
      const edge = queue.shift();
      keys.add(other(edge, found.key).key);
      kept.push(edge);
    }
  }
  return kept;
}

// One line to each neighbour, whatever joins them; borders go both ways, and the line has two heads.
function merged(edges, key) {
  const lines = new Map();
  for (const edge of edges) {
    const end = other(edge, key);
    const id = JSON.stringify([end.key, edge.known]);
    const line = lines.get(id);
    if (!line) {
      lines.set(id, { ...edge, id, relations: new Set([edge.relation]), status: edge.known ? "known" : "predicted", side: end.out ? "out" : "in" });
      continue;
    }
    line.relations.add(edge.relation);
    if (line.head !== edge.head && !line.side.endsWith("both")) line.side += " both";
  }
  return [...lines.values()].map(({ relations, ...line }) => ({ ...line, label: [...relations].map(spaced).join(", ") }));
}

function neighbourGraph(found) {
  const edges = chosen(found);
  const ends = new Map();
  for (const edge of edges) {
    const end = other(edge, found.key);
    if (!ends.has(end.key)) ends.set(end.key, { ...end, relation: edge.relation });
  }
  // What points at it first, then what it points at, in two columns of one length: arrows tell which.
  const inOrder = [...ends.values()].sort((a, b) => a.out - b.out || a.relation.localeCompare(b.relation) || a.name.localeCompare(b.name)).map((end) => end.key);
  const left = inOrder.slice(0, Math.ceil(inOrder.length / 2));
  const places = sides(found.key, left, inOrder.slice(left.length));
  const parts = new Set(found.parts.map((part) => part.key));
  const nodes = [{ id: found.key, name: found.name, kind: "centre" },
    ...[...ends.values()].map((end) => ({ id: end.key, name: end.name, kind: `${parts.has(end.key) ? "part" : "other"} ${left.includes(end.key) ? "left" : "right"}` }))]
    .map((node) => ({ ...node, ...places.get(node.id) }));
  const drawn = merged(edges, found.key);
  const all = `${found.truncated ? "more than " : ""}${found.edges.length}`;
  const frame = graphView({
    nodes, edges: drawn, onOpen: (key) => go({ view: "entity", key }),
    label: `${found.name} and ${ends.size} of its neighbours, ${edges.length} of ${all} edges; the list below has them all`,
  });
  if (found.images.length) addPictures(frame, [found.key], () => pictureUrl(found.images[0].sha256));
  return element("div", { class: "neighbours" }, frame,
    element("p", { class: "quiet drawn" }, `${edges.length} of ${all} edges drawn`));
}

function edgeLine(edge, key) {
  const end = other(edge, key);
  const name = lights(link({ view: "entity", key: end.key }, end.name, { class: "entity" }), end.key);
  return element("li", { class: `edge ${edge.known ? "known" : "predicted"}` },
    element("p", {}, badge(edge.known ? "known" : "likely"), " ",
      element("span", { class: "arrow" }, end.out ? `${spaced(edge.relation)} → ` : `← ${spaced(edge.relation)} `), name,
      element("span", { class: "odds" }, ` ${percent(edge.probability)}`),
      edge.known ? null : factButtons(edge)),
    recordList(edge.records));
}

// The list grows a page at a time; nobody waits for a hundred thousand lines.
function edgeList(found) {
  const list = element("ol", { class: "edges" }, ...found.edges.map((edge) => edgeLine(edge, found.key)));
  let count = found.edges.length;
  const more = readOn("Show more", found.next, async (after) => {
    const page = await getJson(`/v1/entities/${encodeURIComponent(found.key)}?limit=${PAGE}&after=${after}`);
    count += page.edges.length;
    list.append(...page.edges.map((edge) => edgeLine(edge, found.key)));
    return { next: page.next, told: `${count} shown` };
  }, "more-edges");
  return [list, more];
}

function facts(found) {
  const shown = (value) => (typeof value === "number" && Math.abs(value) >= 10_000 ? value.toLocaleString() : String(value));
  const rows = Object.entries(found.attributes).map(([name, value]) => [spaced(name), shown(value)]);
  if (found.aliases.length) rows.unshift(["also called", found.aliases.slice(0, 12).join(", ")]);
  return rows.length ? element("dl", { class: "attributes" },
    ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])) : null;
}

function pictures(found) {
  const figures = found.images.slice(0, MOST_PICTURES).map((image) => partsFigure(image, found.parts, found.name));
  if (found.part) {
    const { part } = found;
    figures.push(partsFigure({ sha256: part.image, width: part.width, height: part.height, source: "the picture it is a part of" }, [part], found.name));
  }
  if (!figures.length) return null;
  const names = found.parts.map((part) => lights(
    link({ view: "entity", key: part.key }, `${part.name}, ${percent(part.confidence)}`, { class: "chip" }), part.key));
  return element("div", { class: "pictures" }, ...figures,
    names.length ? element("div", { class: "chips", role: "group", "aria-label": "Parts of the picture" }, ...names) : null);
}

export async function entityView(state, signal) {
  const found = await getJson(`/v1/entities/${encodeURIComponent(state.key)}?limit=${PAGE}`, { signal });
  const side = pictures(found);
  return [
    element("h2", { class: "title", tabindex: "-1" }, found.name, " ",
      element("span", { class: "quiet" }, `${found.label} · ${found.key}`)),
    element("div", { class: side ? "beside" : "" }, side, found.edges.length ? neighbourGraph(found) : null),
    facts(found),
    element("h3", {}, "Edges"),
    ...(found.edges.length ? edgeList(found) : [element("p", { class: "quiet" }, "None.")]),
    recipeView(state, found.name),
  ].filter(Boolean);
}
