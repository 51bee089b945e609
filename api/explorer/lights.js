// What shows one entity lights up together: a part in a picture, its node, its line in a list.

const watchers = new Set();

// A graph tells how it lights a key up; what is removed from the page is forgotten.
export function watch(node, light) {
  watchers.add({ node, light });
}

export function light(key) {
  for (const shown of document.querySelectorAll("[data-entity]")) {
    shown.classList.toggle("lit", key !== null && shown.dataset.entity === key);
  }
  for (const watcher of watchers) {
    if (watcher.node.isConnected) watcher.light(key);
    else watchers.delete(watcher);
  }
}

// Pointing at or reaching by keyboard are the same.
export function lights(node, key) {
  node.dataset.entity = key;
  for (const event of ["pointerenter", "focusin"]) node.addEventListener(event, () => light(key));
  for (const event of ["pointerleave", "focusout"]) node.addEventListener(event, () => light(null));
  return node;
}
