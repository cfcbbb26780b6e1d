// Places the steps of a voice menu on a plane: layers from the start downwards, few crossings, ways that go back drawn at
// the side. Pure; knows neither page nor theme. Small on purpose: a menu has at most 200 steps.
import { waysOf, type Way } from './flow';
import type { Flow } from './types';

export const BOX = { width: 168, height: 56 };
const GAP = { x: 28, y: 62 };
/** Room between lanes of ways that go back. */
const LANE = 14;

export interface Node {
  name: string;
  layer: number;
  x: number;
  y: number;
  /** Nothing leads here from the start. */
  lost: boolean;
}

export interface Edge {
  from: string;
  way: Way;
  path: string;
  /** Where its word stands. */
  x: number;
  y: number;
}

export interface Plan {
  nodes: Node[];
  edges: Edge[];
  width: number;
  height: number;
}

interface Cell {
  key: string;
  width: number;
  x: number;
  above: string[];
}

/** `label`: how wide the word of a way is. */
export function plan(flow: Flow, label: (way: Way) => number): Plan {
  const layer = layers(flow);
  const rows: Cell[][] = [];
  const cells = new Map<string, Cell>();
  const put = (key: string, at: number, width: number) => {
    const cell: Cell = { key, width, x: 0, above: [] };
    cells.set(key, cell);
    (rows[at] ??= []).push(cell);
    return cell;
  };
  for (const [name, at] of layer) put(name, at, BOX.width);
  // A way over several layers bends through a narrow cell in each.
  const bends = new Map<string, string[]>();
  for (const [name, at] of layer) {
    for (const way of waysOf(flow.step[name]!)) {
      const goal = layer.get(way.to);
      if (goal === undefined || goal <= at) continue;
      let last = name;
      const through: string[] = [];
      for (let l = at + 1; l < goal; l++) {
        const key = `${name}\n${way.field}\n${l}`;
        put(key, l, 12).above.push(last);
        through.push(key);
        last = key;
      }
      cells.get(way.to)!.above.push(last);
      bends.set(`${name}\n${way.field}`, through);
    }
  }
  order(rows, cells);
  const width = place(rows, cells);
  const top = (l: number) => l * (BOX.height + GAP.y) + 12;
  const nodes = [...layer].map(([name, l]) => ({
    name,
    layer: l,
    x: cells.get(name)!.x - BOX.width / 2,
    y: top(l),
    lost: l === rows.length - 1 && !reached(flow).has(name),
  }));
  const edges: Edge[] = [];
  let lanes = 0;
  for (const [name, l] of layer) {
    const ways = waysOf(flow.step[name]!).filter((w) => layer.has(w.to));
    const ports = spread(ways.map(label));
    ways.forEach((way, i) => {
      const { off, row } = ports[i]!;
      const from = { x: cells.get(name)!.x + off, y: top(l) + BOX.height };
      const word = { x: from.x, y: from.y + 14 + row * 20 };
      const goal = layer.get(way.to)!;
      if (goal > l) {
        const points = [from];
        (bends.get(`${name}\n${way.field}`) ?? []).forEach((key, n) => points.push({ x: cells.get(key)!.x, y: top(l + 1 + n) + BOX.height / 2 }));
        points.push({ x: cells.get(way.to)!.x, y: top(goal) - 5 });
        edges.push({ from: name, way, path: curve(points), ...word });
      } else {
        const lane = width + 12 + LANE * lanes++;
        const to = { x: cells.get(way.to)!.x + BOX.width / 2 + 5, y: top(goal) + BOX.height / 2 };
        const path = `M${from.x} ${from.y}v${22}H${lane}V${to.y}H${to.x}`;
        edges.push({ from: name, way, path, ...word });
      }
    });
  }
  const height = top(rows.length - 1) + BOX.height + 40;
  return { nodes, edges, width: width + 24 + LANE * lanes, height };
}

function reached(flow: Flow): Set<string> {
  const seen = new Set<string>();
  const todo = [flow.start];
  while (todo.length > 0) {
    const name = todo.pop()!;
    const step = flow.step[name];
    if (!step || seen.has(name)) continue;
    seen.add(name);
    todo.push(...waysOf(step).map((w) => w.to));
  }
  return seen;
}

/** The layer of each step: the longest way from the start that does not go in a circle; what is lost stands below. */
function layers(flow: Flow): Map<string, number> {
  const layer = new Map<string, number>();
  const back = new Set<string>();
  const open = new Set<string>();
  const done = new Set<string>();
  const sorted: string[] = [];
  const visit = (name: string) => {
    open.add(name);
    for (const way of waysOf(flow.step[name]!)) {
      if (!flow.step[way.to]) continue;
      if (open.has(way.to)) back.add(`${name}\n${way.to}`);
      else if (!done.has(way.to)) visit(way.to);
    }
    open.delete(name);
    done.add(name);
    sorted.unshift(name);
  };
  if (flow.step[flow.start]) visit(flow.start);
  for (const name of sorted) {
    const at = layer.get(name) ?? 0;
    layer.set(name, at);
    for (const way of waysOf(flow.step[name]!)) {
      if (!flow.step[way.to] || back.has(`${name}\n${way.to}`)) continue;
      layer.set(way.to, Math.max(layer.get(way.to) ?? 0, at + 1));
    }
  }
  const below = Math.max(-1, ...layer.values()) + 1;
  for (const name of Object.keys(flow.step)) if (!layer.has(name)) layer.set(name, below);
  return layer;
}

/** Each row by the middle of what leads there. */
function order(rows: Cell[][], cells: Map<string, Cell>): void {
  const place = new Map<string, number>();
  rows.forEach((row) => row.forEach((cell, i) => place.set(cell.key, i)));
  for (let pass = 0; pass < 4; pass++) {
    for (const row of rows.slice(1)) {
      const middle = (cell: Cell) => {
        const above = cell.above.filter((key) => cells.has(key));
        return above.length === 0 ? (place.get(cell.key) ?? 0) : above.reduce((sum, key) => sum + (place.get(key) ?? 0), 0) / above.length;
      };
      row.sort((a, b) => middle(a) - middle(b));
      row.forEach((cell, i) => place.set(cell.key, i));
    }
  }
}

/** Across: near what leads there, never over a neighbour. The answer is the width of all. */
function place(rows: Cell[][], cells: Map<string, Cell>): number {
  for (const row of rows) {
    const wish = row.map((cell, i) => {
      const above = cell.above.map((key) => cells.get(key)!.x);
      return above.length > 0 ? above.reduce((a, b) => a + b, 0) / above.length : i * (BOX.width + GAP.x);
    });
    row.forEach((cell, i) => {
      const left = row[i - 1];
      cell.x = left ? Math.max(wish[i]!, left.x + (left.width + cell.width) / 2 + GAP.x) : wish[i]!;
    });
    const off = row.reduce((sum, cell, i) => sum + cell.x - wish[i]!, 0) / Math.max(1, row.length);
    for (const cell of row) cell.x -= off;
  }
  const all = rows.flat();
  const left = Math.min(...all.map((cell) => cell.x - cell.width / 2));
  for (const cell of all) cell.x += 12 - left;
  return Math.max(...all.map((cell) => cell.x + cell.width / 2));
}

/** Where ways leave a box, so that their words stand beside each other, in two rows when there is no room for one. */
function spread(widths: number[]): { off: number; row: number }[] {
  const room = BOX.width + GAP.x - 8;
  const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
  const total = sum(widths);
  const rows = total > room && widths.length > 2 ? 2 : 1;
  const squeeze = Math.min(1, (room * rows) / total);
  let at = -(total * squeeze) / (2 * rows);
  return widths.map((width, i) => {
    const step = (width * squeeze) / rows;
    const off = at + step / 2;
    at += step;
    return { off: Math.max(12 - BOX.width / 2, Math.min(BOX.width / 2 - 12, off)), row: rows === 2 ? i % 2 : 0 };
  });
}

function curve(points: { x: number; y: number }[]): string {
  let path = `M${points[0]!.x} ${points[0]!.y}`;
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1]!;
    const b = points[i]!;
    const bend = Math.max(18, (b.y - a.y) / 2);
    path += `C${a.x} ${a.y + bend} ${b.x} ${b.y - bend} ${b.x} ${b.y}`;
  }
  return path;
}
