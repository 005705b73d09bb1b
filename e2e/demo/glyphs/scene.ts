// Draws scenes of coloured glyphs on textured grounds, with the boxes that are in them: the training and
// test data of the demo's own detector. In: a seeded generator and a size. Out: planar RGB in 0..1
// (channel, row, column) and the glyphs in pixels. Edges are anti-aliased by signed distance.
// Invariant: the same generator state and size give the same scene; glyphs lie inside and do not touch.

export type Random = () => number;

/** Mulberry32: 32 bits of state, uniform in [0, 1). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Rgb = readonly [number, number, number];
type Points = readonly (readonly [number, number])[];

export interface Glyph {
  /** Index into `glyphClasses`. */
  readonly kind: number;
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly pixels: Float32Array;
  readonly glyphs: readonly Glyph[];
}

export interface SceneOptions {
  /** How many glyphs to try to place; fewer where there is no room. */
  readonly count: number;
  /** Pixels of the scene to one pixel of the network's input. */
  readonly scale: number;
  /** Strongest grain, as a share of full brightness; 0 for a picture that must compress well. */
  readonly grain: number;
}

const minRadius = 10;
const maxRadius = 31;
/** Glyphs lean at most this far, in radians. */
const maxTurn = 0.45;

export function drawScene(next: Random, width: number, height: number, options: SceneOptions): Scene {
  if (Math.min(width, height) < 2 * (maxRadius * options.scale + 1)) {
    throw new RangeError(`A scene of ${width} × ${height} pixels has no room for the largest glyph.`);
  }
  const pixels = drawGround(next, width, height, options);
  const glyphs: Glyph[] = [];
  const placed: { x: number; y: number; r: number }[] = [];
  for (let attempt = 0; attempt < options.count * 12 && glyphs.length < options.count; attempt++) {
    const r = options.scale * minRadius * (maxRadius / minRadius) ** next();
    const x = r + 1 + next() * (width - 2 * r - 2);
    const y = r + 1 + next() * (height - 2 * r - 2);
    if (placed.some((p) => Math.hypot(p.x - x, p.y - y) < p.r + r + options.scale)) continue;
    placed.push({ x, y, r });
    glyphs.push(drawGlyph(next, pixels, width, height, x, y, r));
  }
  addNoise(next, pixels, options.grain);
  return { width, height, pixels, glyphs };
}

function drawGround(next: Random, width: number, height: number, { scale, grain }: SceneOptions): Float32Array {
  const plane = width * height;
  const pixels = new Float32Array(3 * plane);
  const base = muted(next);
  const other = muted(next);
  const angle = next() * 2 * Math.PI;
  const [ux, uy] = [Math.cos(angle), Math.sin(angle)];
  const strength = next() * 0.5;
  const layers = [
    { cell: scale * (40 + 80 * next()), amount: 0.16 * next() },
    { cell: scale * (6 + 14 * next()), amount: 0.12 * next() },
    { cell: scale * (2 + 2 * next()), amount: 1.6 * grain * next() },
  ].map((layer) => ({ ...layer, noise: valueNoise(next, width, height, layer.cell) }));
  const stripes = next() < 0.35 ? 0.02 + 0.06 * next() : 0;
  const pitch = scale * (5 + 12 * next());
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const along = (ux * (x / width - 0.5) + uy * (y / height - 0.5)) * strength + strength / 2;
      let light = stripes * Math.sign(Math.sin(((ux * y - uy * x) * 2 * Math.PI) / pitch));
      for (const layer of layers) light += layer.amount * layer.noise(x, y);
      for (let c = 0; c < 3; c++) {
        pixels[c * plane + y * width + x] = base[c]! + (other[c]! - base[c]!) * along + light;
      }
    }
  }
  return pixels;
}

/** Smoothly interpolated random values in -1..1 on a grid of `cell` pixels. */
function valueNoise(next: Random, width: number, height: number, cell: number): (x: number, y: number) => number {
  const columns = Math.ceil(width / cell) + 2;
  const rows = Math.ceil(height / cell) + 2;
  const grid = Float32Array.from({ length: columns * rows }, () => next() * 2 - 1);
  const ease = (t: number) => t * t * (3 - 2 * t);
  return (x, y) => {
    const [gx, gy] = [Math.floor(x / cell), Math.floor(y / cell)];
    const [tx, ty] = [ease(x / cell - gx), ease(y / cell - gy)];
    const i = gy * columns + gx;
    const top = grid[i]! + (grid[i + 1]! - grid[i]!) * tx;
    const bottom = grid[i + columns]! + (grid[i + columns + 1]! - grid[i + columns]!) * tx;
    return top + (bottom - top) * ty;
  };
}

function drawGlyph(
  next: Random,
  pixels: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  r: number,
): Glyph {
  const plane = width * height;
  const kind = Math.floor(next() * 5);
  const points = outline(kind, next);
  const turn = (next() * 2 - 1) * maxTurn;
  const [cos, sin] = [Math.cos(turn) * r, Math.sin(turn) * r];
  const corners: Points = points.map(([px, py]) => [x + px * cos - py * sin, y + px * sin + py * cos]);
  const ground = meanColour(pixels, plane, width, x, y, r);
  const fill = contrasting(next, ground);
  const shade = next() < 0.4 ? (next() - 0.5) * 0.3 : 0;
  const border = next() < 0.25 ? { width: r * (0.08 + 0.08 * next()), colour: contrasting(next, ground) } : undefined;
  for (let py = Math.max(0, Math.floor(y - r - 1)); py <= Math.min(height - 1, y + r + 1); py++) {
    for (let px = Math.max(0, Math.floor(x - r - 1)); px <= Math.min(width - 1, x + r + 1); px++) {
      const distance = corners.length ? polygonDistance(px, py, corners) : Math.hypot(px - x, py - y) - r;
      const cover = Math.min(1, Math.max(0, 0.5 - distance));
      if (cover === 0) continue;
      const inner = border ? Math.min(1, Math.max(0, 0.5 - distance - border.width)) : 1;
      for (let c = 0; c < 3; c++) {
        const i = c * plane + py * width + px;
        const body = fill[c]! + (shade * (py - y)) / r;
        const paint = border ? border.colour[c]! + (body - border.colour[c]!) * inner : body;
        pixels[i] = pixels[i]! + (paint - pixels[i]!) * cover;
      }
    }
  }
  if (!corners.length) return { kind, x0: x - r, y0: y - r, x1: x + r, y1: y + r };
  const xs = corners.map((p) => p[0]);
  const ys = corners.map((p) => p[1]);
  return { kind, x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

/** Corners in a circle of radius 1, in the order of `glyphClasses`; none for the circle itself. */
function outline(kind: number, next: Random): Points {
  const ring = (n: number, radius: (i: number) => number): Points =>
    Array.from({ length: n }, (_, i) => {
      const a = (i / n) * 2 * Math.PI - Math.PI / 2;
      return [Math.cos(a) * radius(i), Math.sin(a) * radius(i)] as const;
    });
  if (kind === 0) return [];
  if (kind === 1)
    return [
      [-Math.SQRT1_2, -Math.SQRT1_2],
      [Math.SQRT1_2, -Math.SQRT1_2],
      [Math.SQRT1_2, Math.SQRT1_2],
      [-Math.SQRT1_2, Math.SQRT1_2],
    ];
  if (kind === 2) return ring(3, () => 1);
  if (kind === 4) {
    const waist = 0.38 + 0.1 * next();
    return ring(10, (i) => (i % 2 === 0 ? 1 : waist));
  }
  const arm = 0.2 + 0.12 * next();
  const reach = Math.sqrt(1 - arm * arm);
  return [
    [-arm, -reach],
    [arm, -reach],
    [arm, -arm],
    [reach, -arm],
    [reach, arm],
    [arm, arm],
    [arm, reach],
    [-arm, reach],
    [-arm, arm],
    [-reach, arm],
    [-reach, -arm],
    [-arm, -arm],
  ];
}

/** Signed distance to a polygon's edge in pixels, negative inside (crossing number, nearest segment). */
function polygonDistance(px: number, py: number, corners: Points): number {
  let nearest = Infinity;
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [ax, ay] = corners[i]!;
    const [bx, by] = corners[j]!;
    const [ex, ey] = [bx - ax, by - ay];
    const t = Math.min(1, Math.max(0, ((px - ax) * ex + (py - ay) * ey) / (ex * ex + ey * ey)));
    nearest = Math.min(nearest, Math.hypot(px - ax - t * ex, py - ay - t * ey));
    if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside ? -nearest : nearest;
}

/** Any hue, well saturated. */
function vivid(next: Random): Rgb {
  const hue = next() * 6;
  const value = 0.55 + 0.45 * next();
  const saturation = 0.6 + 0.4 * next();
  const channel = (shift: number) => {
    const k = (shift + hue) % 6;
    return value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

/** Close to grey, dark or light. */
function muted(next: Random): Rgb {
  const light = 0.15 + 0.7 * next();
  const tint = () => light + (next() - 0.5) * 0.2;
  return [tint(), tint(), tint()];
}

function contrasting(next: Random, ground: Rgb): Rgb {
  for (;;) {
    const c = vivid(next);
    if (Math.hypot(c[0] - ground[0], c[1] - ground[1], c[2] - ground[2]) > 0.45) return c;
  }
}

function meanColour(pixels: Float32Array, plane: number, width: number, x: number, y: number, r: number): Rgb {
  const sum = [0, 0, 0];
  const reach = Math.floor(r * 0.7);
  let count = 0;
  for (let dy = -reach; dy <= reach; dy += 4) {
    for (let dx = -reach; dx <= reach; dx += 4, count++) {
      const i = Math.round(y + dy) * width + Math.round(x + dx);
      for (let c = 0; c < 3; c++) sum[c]! += pixels[c * plane + i]!;
    }
  }
  return [sum[0]! / count, sum[1]! / count, sum[2]! / count];
}

/** Sensor-like noise, then the clamping and rounding to 8 bits that every picture file has. */
function addNoise(next: Random, pixels: Float32Array, grain: number): void {
  const amount = grain * next();
  for (let i = 0; i < pixels.length; i++) {
    const v = pixels[i]! + amount * (next() + next() - 1);
    pixels[i] = Math.round(Math.min(1, Math.max(0, v)) * 255) / 255;
  }
}
