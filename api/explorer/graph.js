// Draws small graphs with cytoscape, which is loaded with the first one. The canvas is for the eye:
// whoever calls this also lists what it shows, with the same lights.

import { element, spaced } from "./dom.js";
import { light, watch } from "./lights.js";

export const MOST_NODES = 24; // more are neither told apart nor read

const loading = () => import("./cytoscape.js").then((module) => module.default);

// Returns the element at once; the drawing follows. Nodes: id, name, kind, x, y. Edges: id, head,
// tail, relation, source, status.
export function graphView({ nodes, edges, label, onOpen }) {
  const frame = element("div", { class: "graph", role: "img", "aria-label": label });
  frame.style.height = `${heightOf(nodes)}px`;
  frame.dataset.nodes = nodes.length;
  frame.dataset.edges = edges.length;
  frame.ready = loading().then((cytoscape) => new Promise((resolve) => {
    whenShown(frame, () => {
      draw(cytoscape, frame, nodes.slice(0, MOST_NODES + 1), edges, onOpen);
      resolve(frame.graph);
    });
  }));
  return frame;
}

// Flags and photos make a graph easier to read; one without them is as right. `urlOf` gives the
// address of a node's picture, or null.
export async function addPictures(frame, keys, urlOf) {
  frame.dataset.pictures = "loading";
  const graph = await frame.ready;
  await Promise.all(keys.map(async (key) => {
    const url = await urlOf(key).catch(() => null);
    if (url && !graph.destroyed()) graph.getElementById(key).data("picture", url);
  }));
  frame.dataset.pictures = "shown";
}

function heightOf(nodes) {
  const ys = nodes.map((node) => node.y);
  return Math.min(620, Math.max(200, Math.max(...ys) - Math.min(...ys) + 130));
}

// A canvas has no size before it is on the page.
function whenShown(frame, start) {
  const observer = new ResizeObserver(() => {
    if (frame.clientWidth === 0) return;
    observer.disconnect();
    start();
  });
  observer.observe(frame);
}

function draw(cytoscape, frame, nodes, edges, onOpen) {
  const drawn = new Set(nodes.map((node) => node.id));
  const graph = cytoscape({
    container: frame,
    elements: [
      ...nodes.map(({ x, y, ...data }) => ({ data, position: { x, y }, classes: data.kind })),
      ...edges.filter((edge) => drawn.has(edge.head) && drawn.has(edge.tail)).map((edge) => ({
        data: { ...edge, source: edge.head, target: edge.tail, label: edgeLabel(edge) }, classes: `${edge.status} ${edge.side ?? ""}`,
      })),
    ],
    layout: { name: "preset", fit: true, padding: 24 },
    style: style(),
    maxZoom: 1.6, minZoom: 0.2, wheelSensitivity: 0.2,
    userZoomingEnabled: false, boxSelectionEnabled: false, autounselectify: true,
  });
  frame.graph = graph;
  graph.on("mouseover", "node", (event) => light(event.target.id()));
  graph.on("mouseout", "node", () => light(null));
  frame.addEventListener("pointerleave", () => light(null)); // leaving by a node is no mouseout
  graph.on("tap", "node", (event) => onOpen?.(event.target.id()));
  watch(frame, (key) => {
    graph.elements().removeClass("lit");
    if (key === null) return;
    const node = graph.getElementById(key);
    node.addClass("lit");
    node.connectedEdges().addClass("lit");
  });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => {
    if (frame.isConnected) graph.style(style());
    else scheme.removeEventListener("change", recolour);
  };
  scheme.addEventListener("change", recolour);
  const resized = new ResizeObserver(() => {
    if (frame.isConnected) {
      if (frame.clientWidth) graph.resize().fit(undefined, 24);
    } else {
      resized.disconnect();
      graph.destroy(); // it asks the browser for sixty frames a second as long as it is
    }
  });
  resized.observe(frame);
}

function edgeLabel(edge) {
  if (edge.label) return shortened(edge.label, 34);
  return edge.from ? `${spaced(edge.relation)}\n${shortened(edge.from, 34)}` : spaced(edge.relation);
}

export function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function style() {
  const css = getComputedStyle(document.documentElement);
  const colour = (name) => css.getPropertyValue(`--${name}`).trim();
  const line = (name, kind) => ({
    "line-color": colour(name), "target-arrow-color": colour(name), "source-arrow-color": colour(name), "line-style": kind,
  });
  return [
    { selector: "node", style: {
      label: "data(name)", color: colour("ink"), "font-size": 13, "text-wrap": "ellipsis", "text-max-width": 150,
      "text-valign": "bottom", "text-margin-y": 5, "text-background-color": colour("card"),
      "text-background-opacity": 0.85, "text-background-padding": 2,
      width: 22, height: 22, "background-color": colour("node"), "border-width": 2, "border-color": colour("card"),
    } },
    { selector: "node.answer, node.centre", style: {
      width: 34, height: 34, "background-color": colour("accent"), "font-weight": 700, "font-size": 15,
    } },
    { selector: "node.part", style: { shape: "round-rectangle", "background-color": colour("outline") } },
    { selector: "node[picture]", style: {
      shape: "round-rectangle", width: 54, height: 36, "background-image": "data(picture)",
      "background-fit": "contain", "background-color": colour("card"), "border-color": colour("line"), "border-width": 1,
    } },
    { selector: "node.answer[picture], node.centre[picture]", style: {
      width: 72, height: 48, "border-color": colour("accent"), "border-width": 3,
    } },
    { selector: "edge", style: {
      label: "data(label)", "text-wrap": "wrap", color: colour("quiet"), "font-size": 11, "line-height": 1.25,
      "text-background-color": colour("card"), "text-background-opacity": 0.9, "text-background-padding": 2,
      "text-rotation": "none", "curve-style": "bezier", width: 2, "target-arrow-shape": "triangle", "arrow-scale": 1.1,
    } },
    { selector: "node.left", style: { "text-valign": "center", "text-halign": "left", "text-margin-x": -6, "text-margin-y": 0, "font-size": 16 } },
    { selector: "node.right", style: { "text-valign": "center", "text-halign": "right", "text-margin-x": 6, "text-margin-y": 0, "font-size": 16 } },
    // In a fan the labels stand by the neighbours, where the edges are apart.
    { selector: "edge.out", style: { label: "", "font-size": 13, "target-label": "data(label)", "target-text-offset": 88 } },
    { selector: "edge.in", style: { label: "", "font-size": 13, "source-label": "data(label)", "source-text-offset": 88 } },
    { selector: "edge.both", style: { "source-arrow-shape": "triangle" } },
    { selector: "edge.known", style: line("known", "solid") },
    { selector: "edge.predicted", style: line("likely", "dashed") },
    { selector: "edge.absent", style: line("absent", "dotted") },
    { selector: "node.lit", style: { "border-width": 4, "border-color": colour("outline"), "z-index": 9 } },
    { selector: "edge.lit", style: { width: 4, "z-index": 9 } },
  ];
}
