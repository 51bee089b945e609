// Where nodes of small graphs stand: the same graph always looks the same.

const ACROSS = 250;
const DOWN = 96;

// Columns by the number of steps from the answer, which stands at the left.
export function columns(root, keys, edges) {
  const next = new Map(keys.map((key) => [key, new Set()]));
  for (const { head, tail } of edges) {
    next.get(head)?.add(tail);
    next.get(tail)?.add(head);
  }
  const depth = new Map([[root, 0]]);
  for (const key of depth.keys()) {
    for (const other of next.get(key) ?? []) if (!depth.has(other)) depth.set(other, depth.get(key) + 1);
  }
  const last = Math.max(...depth.values()) + 1;
  const filled = new Map();
  const places = new Map();
  for (const key of keys) {
    const column = depth.get(key) ?? last;
    filled.set(column, (filled.get(column) ?? 0) + 1);
    places.set(key, { column, row: filled.get(column) - 1 });
  }
  return new Map([...places].map(([key, { column, row }]) => [key, {
    x: column * ACROSS, y: (row - (filled.get(column) - 1) / 2) * DOWN + (column % 2) * 12,
  }]));
}

// One in the middle, the others in two bent columns beside it.
export function sides(centre, left, right) {
  const places = new Map([[centre, { x: 0, y: 0 }]]);
  for (const [side, keys] of [[-1, left], [1, right]]) {
    const step = 40;
    keys.forEach((key, n) => {
      const y = (n - (keys.length - 1) / 2) * step;
      const bend = Math.cos((Math.PI * y) / (step * (keys.length + 3)));
      places.set(key, { x: side * (200 + 90 * bend), y });
    });
  }
  return places;
}
