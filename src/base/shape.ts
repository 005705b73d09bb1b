// Shape arithmetic on concrete dimensions. Nothing here knows operators or the GPU.

export type Dims = readonly number[];

export function sizeOf(dims: Dims): number {
  let n = 1;
  for (const d of dims) n *= d;
  return n;
}

/** Row-major strides in elements: the last dimension has stride 1. */
export function stridesOf(dims: Dims): number[] {
  const strides = new Array<number>(dims.length);
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= dims[i] as number;
  }
  return strides;
}

export function sameDims(a: Dims, b: Dims): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** The common shape under multidirectional broadcasting, or undefined where there is none. */
export function broadcastDims(...shapes: Dims[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      const d = shape[i] as number;
      if (d === 1) continue;
      if (out[at] === 1) out[at] = d;
      else if (out[at] !== d) return undefined;
    }
  }
  return out;
}

/** Strides that read `dims` as if broadcast to `to`: zero along every stretched dimension. */
export function broadcastStrides(dims: Dims, to: Dims): number[] {
  const own = stridesOf(dims);
  const lead = to.length - dims.length;
  return to.map((_, i) => (i < lead || dims[i - lead] === 1 ? 0 : (own[i - lead] as number)));
}

/** Axis in [0, rank) from a possibly negative one; undefined when out of range. */
export function wrapAxis(axis: number, rank: number): number | undefined {
  const a = axis < 0 ? axis + rank : axis;
  return a >= 0 && a < rank ? a : undefined;
}

/** Calls `visit` with every coordinate of `dims` in row-major order; the array is reused. */
export function forEachIndex(dims: Dims, visit: (at: readonly number[], flat: number) => void): void {
  const n = sizeOf(dims);
  const at = new Array<number>(dims.length).fill(0);
  for (let flat = 0; flat < n; flat++) {
    visit(at, flat);
    for (let i = dims.length - 1; i >= 0; i--) {
      at[i] = (at[i] as number) + 1;
      if ((at[i] as number) < (dims[i] as number)) break;
      at[i] = 0;
    }
  }
}

export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}

export function formatDims(dims: readonly (number | string)[]): string {
  return `[${dims.join(', ')}]`;
}
