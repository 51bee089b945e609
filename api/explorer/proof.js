// Why an entity is an answer: a graph, the same as a list with records, pictures, the whole tree.

import { getJson, pictureUrl } from "./client.js";
import { badge, element, isHash, percent, recordList, sourceOf, spaced } from "./dom.js";
import { go, link } from "./address.js";
import { factButtons } from "./facts.js";
import { addPictures, graphView } from "./graph.js";
import { columns } from "./layout.js";
import { lights } from "./lights.js";
import { partFigure, seenFigures } from "./picture.js";

function namesOf(edges) {
  return new Map(edges.flatMap((edge) => [[edge.head, edge.head_name], [edge.tail, edge.tail_name]]));
}

function proofEdge(edge) {
  const odds = edge.status === "absent"
    ? `${percent(edge.probability)} that it does not` : percent(edge.probability);
  const reasons = edge.reasons.length
    ? element("ul", { class: "records" }, ...edge.reasons.map((text) => element("li", {}, `because ${text}`)))
    : null;
  const end = (key, name) => lights(link({ view: "entity", key }, name, { class: "entity", title: key }), key);
  return element("li", { class: `edge ${edge.status}`, "data-status": edge.status },
    element("p", {},
      badge(edge.status), " ", end(edge.head, edge.head_name),
      element("span", { class: "arrow" }, ` — ${spaced(edge.relation)} → `),
      end(edge.tail, edge.tail_name),
      element("span", { class: "odds" }, ` ${odds}`),
      edge.status === "predicted" ? factButtons(edge) : null),
    recordList(edge.records), reasons);
}

// What an edge rests on, short enough for its line in the graph.
function shortSource(edge) {
  if (edge.records.length) return isHash(edge.records[0].source) ? "seen in a picture" : sourceOf(edge.records[0]);
  if (edge.status === "absent") return "must not hold";
  return edge.reasons.length ? "a rule" : "the model alone";
}

function proofGraph(answer, proof) {
  const names = namesOf(proof.edges);
  const parts = new Set(proof.parts.map((part) => part.key));
  const keys = [...names.keys()].sort((a, b) => (b === answer) - (a === answer));
  const places = columns(answer, keys, proof.edges);
  const nodes = keys.map((key) => ({
    id: key, name: names.get(key), kind: key === answer ? "answer" : parts.has(key) ? "part" : "other", ...places.get(key),
  }));
  const edges = proof.edges.map((edge, n) => ({ ...edge, id: `e${n}`, from: `${shortSource(edge)}, ${percent(edge.probability)}` }));
  const frame = graphView({
    nodes, edges, onOpen: (key) => go({ view: "entity", key }),
    label: `The proof as a graph: ${nodes.length} entities, ${edges.length} edges; the list below says the same`,
  });
  if (nodes.length <= 12) addPictures(frame, keys, pictureOf);
  return frame;
}

async function pictureOf(key) {
  const found = await getJson(`/v1/entities/${encodeURIComponent(key)}?limit=1`);
  return found.images.length ? pictureUrl(found.images[0].sha256) : null;
}

// The structure of the question with every variable bound; the list above it shows the best edges.
function treeItem(node) {
  const text = {
    projection: () => `${node.edge.head_name} — ${spaced(node.edge.relation)} → ${node.edge.tail_name}`,
    intersection: () => `${node.name}: all of`,
    union: () => `${node.name}: any of`,
    gap: () => `nothing found for ${node.name}: ${node.text}`,
  }[node.kind]?.() ?? node.text ?? node.name;
  const status = node.edge ? badge(node.edge.status) : node.kind === "negation" ? badge("absent") : null;
  const below = node.branches.length ? element("ul", {}, ...node.branches.map(treeItem)) : null;
  return element("li", { class: `node ${node.kind}` }, status, status ? " " : null, text,
    element("span", { class: "odds" }, ` ${percent(node.edge ? node.edge.probability : node.truth)}`), below);
}

function proofTree(tree) {
  if (!tree.branches.length) return null;
  return element("details", { class: "tree" },
    element("summary", {}, "The whole proof"), element("ul", {}, treeItem(tree)));
}

export function proofView(answer, proof) {
  const names = namesOf(proof.edges);
  const figures = [
    ...proof.parts.map((part) => partFigure(part, names.get(part.parent) ?? part.parent)),
    ...seenFigures(proof),
  ];
  const facts = proof.facts.map((fact) => element("li", {}, fact));
  return [
    proof.edges.length ? proofGraph(answer, proof) : null,
    figures.length ? element("div", { class: "parts" }, ...figures) : null,
    element("ol", { class: "edges" }, ...proof.edges.map(proofEdge)),
    facts.length ? element("ul", { class: "facts" }, ...facts) : null,
    proofTree(proof.tree),
  ].filter(Boolean);
}
