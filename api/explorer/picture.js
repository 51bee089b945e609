// Pictures with parts outlined. A part lights up its node in the graph, and is lit by it.

import { pictureUrl } from "./client.js";
import { drawing, element, isHash, percent } from "./dom.js";
import { lights } from "./lights.js";

const THUMB = 96; // twice its size on the page, for dense screens
const BOX = /^box (-?[\d.]+),(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)$/;

function shapeOf(part) {
  if (part.outline) return { tag: "path", shape: { d: part.outline } };
  return { tag: "rect", shape: boxed(part.box_xyxy) };
}

function boxed([left, top, right, bottom]) {
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

// A light line under a strong one is seen on every ground. A part with a key can be reached.
function outline({ tag, shape, key, name }) {
  const lines = ["under", "over"].map((kind) => drawing(tag, { ...shape, class: `outline ${kind}` }));
  if (!key) return lines;
  const ground = drawing(tag, { ...shape, class: "ground" });
  ground.append(drawing("title", {}, name));
  return [lights(drawing("g", { class: "region" }, ground, ...lines), key)];
}

function outlinedPicture(image, label, shapes) {
  const picture = drawing("image", {});
  const drawn = drawing("svg", { class: "picture", role: "img", "aria-label": label }, picture, ...shapes.flatMap(outline));
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

export function partFigure(part, owner) {
  const image = { sha256: part.image, width: part.width, height: part.height };
  const shape = { ...shapeOf(part), key: part.key, name: part.name };
  const figure = element("figure", { class: "part", "data-part": part.key },
    outlinedPicture(image, `${part.name}, outlined in the picture of ${owner}`, [shape]),
    element("figcaption", {}, `${part.name} in the picture of ${owner}`,
      element("span", { class: "quiet" }, `, seen with ${percent(part.confidence)}`)));
  return lights(figure, part.key);
}

// Where a model saw what an edge says, if no part of that picture is in the proof anyway.
export function seenFigures(proof) {
  const shown = new Set(proof.parts.map((part) => part.image));
  const figures = [];
  for (const edge of proof.edges) {
    const record = edge.records.find((one) => one.kind === "generated" && isHash(one.source) && BOX.test(one.locator ?? ""));
    if (!record || shown.has(record.source)) continue;
    const shape = boxed(BOX.exec(record.locator).slice(1).map(Number));
    const text = `${edge.tail_name} in the picture of ${edge.head_name}`;
    figures.push(element("figure", { class: "part", "data-seen": edge.tail },
      outlinedPicture({ sha256: record.source }, `${text}, outlined`, [{ tag: "rect", shape }]),
      element("figcaption", {}, text, element("span", { class: "quiet" }, `, seen with ${percent(record.probability)}`))));
  }
  return figures;
}

// A whole picture of an entity with all its parts.
export function partsFigure(image, parts, name) {
  const own = parts.filter((part) => part.image === image.sha256);
  const label = own.length ? `Picture of ${name}, ${own.length} parts outlined` : `Picture of ${name}`;
  const shapes = own.map((part) => ({ ...shapeOf(part), key: part.key, name: part.name }));
  return element("figure", { class: "whole" }, outlinedPicture(image, label, shapes),
    element("figcaption", { class: "quiet" }, image.source));
}

export function thumbnail(image) {
  if (!image) return element("span", { class: "thumb" });
  const shown = element("img", { class: "thumb", alt: "", width: 48, height: 32 });
  pictureUrl(image.sha256, THUMB).then((url) => { shown.src = url; }).catch(() => {});
  return shown;
}
