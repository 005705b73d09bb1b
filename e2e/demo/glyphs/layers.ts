// The trainer's arithmetic: convolution forward and backward through im2col and two small matrix
// products, on planar Float32Arrays. Everything is a plain loop in a fixed order, hence deterministic.

export interface ConvShape {
  readonly inputs: number;
  readonly outputs: number;
  /** Square kernel of this width, padded by (kernel - 1) / 2. */
  readonly kernel: number;
  readonly stride: number;
}

export interface Plane {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

export function outputPlane(shape: ConvShape, input: Plane): Plane {
  const height = Math.ceil(input.height / shape.stride);
  const width = Math.ceil(input.width / shape.stride);
  return { channels: shape.outputs, height, width, data: new Float32Array(shape.outputs * height * width) };
}

/** Patches as a matrix of (inputs · kernel²) rows and one column per output pixel. */
export function im2col(shape: ConvShape, input: Plane, out: Plane): Float32Array {
  const { kernel, stride } = shape;
  if (kernel === 1 && stride === 1) return input.data;
  const n = out.height * out.width;
  const columns = new Float32Array(shape.inputs * kernel * kernel * n);
  eachTap(shape, input, out, (row, from, to, count) => {
    for (let i = 0; i < count; i++) columns[row * n + to + i] = input.data[from + i * stride]!;
  });
  return columns;
}

/** The transpose of im2col: adds every column's gradient back to the pixel that it was copied from. */
export function col2im(shape: ConvShape, columns: Float32Array, input: Plane, out: Plane, into: Float32Array): void {
  const n = out.height * out.width;
  eachTap(shape, input, out, (row, from, to, count) => {
    for (let i = 0; i < count; i++) into[from + i * shape.stride]! += columns[row * n + to + i]!;
  });
}

/** Visits every run of pixels that one kernel tap reads inside the picture, row by row. */
function eachTap(
  shape: ConvShape,
  input: Plane,
  out: Plane,
  visit: (row: number, from: number, to: number, count: number) => void,
): void {
  const { kernel, stride } = shape;
  const pad = (kernel - 1) / 2;
  for (let c = 0; c < shape.inputs; c++) {
    for (let ky = 0; ky < kernel; ky++) {
      for (let kx = 0; kx < kernel; kx++) {
        const row = (c * kernel + ky) * kernel + kx;
        const first = Math.max(0, Math.ceil((pad - kx) / stride));
        const last = Math.min(out.width - 1, Math.floor((input.width - 1 + pad - kx) / stride));
        for (let y = 0; y < out.height; y++) {
          const iy = y * stride + ky - pad;
          if (iy < 0 || iy >= input.height) continue;
          const from = (c * input.height + iy) * input.width + first * stride + kx - pad;
          visit(row, from, y * out.width + first, last - first + 1);
        }
      }
    }
  }
}

/**
 * c[m, n] = bias[m] + a[m, k] · b[k, n], in tiles of four rows and two columns; m divides by 4, n by 2.
 * Both sides are packed in the order they are read, as float64: no conversion in the inner loop.
 */
export function multiply(
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  m: number,
  n: number,
  k: number,
  bias?: Float32Array,
): void {
  const rows = new Float64Array(m * k);
  for (let i = 0; i < m; i++) for (let x = 0; x < k; x++) rows[(i - (i % 4)) * k + x * 4 + (i % 4)] = a[i * k + x]!;
  const panel = new Float64Array(2 * k);
  for (let j = 0; j < n; j += 2) {
    for (let x = 0, q = j; x < k; x++, q += n) {
      panel[2 * x] = b[q]!;
      panel[2 * x + 1] = b[q + 1]!;
    }
    for (let i = 0; i < m; i += 4) {
      let c00 = 0,
        c01 = 0,
        c10 = 0,
        c11 = 0,
        c20 = 0,
        c21 = 0,
        c30 = 0,
        c31 = 0;
      for (let q = 0, p = i * k; q < 2 * k; q += 2, p += 4) {
        const b0 = panel[q]!;
        const b1 = panel[q + 1]!;
        const a0 = rows[p]!;
        const a1 = rows[p + 1]!;
        const a2 = rows[p + 2]!;
        const a3 = rows[p + 3]!;
        c00 += a0 * b0;
        c01 += a0 * b1;
        c10 += a1 * b0;
        c11 += a1 * b1;
        c20 += a2 * b0;
        c21 += a2 * b1;
        c30 += a3 * b0;
        c31 += a3 * b1;
      }
      const o = i * n + j;
      c[o] = c00 + (bias ? bias[i]! : 0);
      c[o + 1] = c01 + (bias ? bias[i]! : 0);
      c[o + n] = c10 + (bias ? bias[i + 1]! : 0);
      c[o + n + 1] = c11 + (bias ? bias[i + 1]! : 0);
      c[o + 2 * n] = c20 + (bias ? bias[i + 2]! : 0);
      c[o + 2 * n + 1] = c21 + (bias ? bias[i + 2]! : 0);
      c[o + 3 * n] = c30 + (bias ? bias[i + 3]! : 0);
      c[o + 3 * n + 1] = c31 + (bias ? bias[i + 3]! : 0);
    }
  }
}

/** c[m, k] += a[m, n] · b[k, n]ᵀ, in tiles of four rows and two columns; m divides by 4. */
export function addOuter(a: Float32Array, b: Float32Array, c: Float32Array, m: number, n: number, k: number): void {
  const rows = new Float64Array(4 * n);
  for (let i = 0; i < m; i += 4) {
    for (let r = 0; r < 4; r++) for (let x = 0; x < n; x++) rows[4 * x + r] = a[(i + r) * n + x]!;
    for (let j = 0; j < k; j += 2) {
      // An odd k has no last column: its place repeats the one before, and is not written.
      const second = j + 1 < k ? (j + 1) * n : j * n;
      let c00 = 0,
        c01 = 0,
        c10 = 0,
        c11 = 0,
        c20 = 0,
        c21 = 0,
        c30 = 0,
        c31 = 0;
      for (let x = 0, p = 0, q = j * n, r = second; x < n; x++, p += 4, q++, r++) {
        const b0 = b[q]!;
        const b1 = b[r]!;
        const a0 = rows[p]!;
        const a1 = rows[p + 1]!;
        const a2 = rows[p + 2]!;
        const a3 = rows[p + 3]!;
        c00 += a0 * b0;
        c01 += a0 * b1;
        c10 += a1 * b0;
        c11 += a1 * b1;
        c20 += a2 * b0;
        c21 += a2 * b1;
        c30 += a3 * b0;
        c31 += a3 * b1;
      }
      const o = i * k + j;
      c[o]! += c00;
      c[o + k]! += c10;
      c[o + 2 * k]! += c20;
      c[o + 3 * k]! += c30;
      if (j + 1 === k) continue;
      c[o + 1]! += c01;
      c[o + k + 1]! += c11;
      c[o + 2 * k + 1]! += c21;
      c[o + 3 * k + 1]! += c31;
    }
  }
}
