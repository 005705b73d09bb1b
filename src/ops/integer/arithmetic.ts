// Two ways of multiplying bytes four at a time, and what each costs.

/** How four bytes are multiplied by four. */
export interface Arithmetic {
  readonly text: string;
  /** Steps that its sums hold exactly. */
  readonly round: number;
  /** Operations that making four words ready takes, and the product of one word by another. */
  readonly open: number;
  readonly product: number;
  /** What a product takes a software adapter beyond that, opening included. */
  readonly emulated: number;
}

const bytesText = '(vec4i(vec4u(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u)';

/** Words are taken apart and summed in f32 for as long as that is exact. */
export const float: Arithmetic = {
  text: /* wgsl */ `
alias bytes4 = vec4f;
alias sum4 = vec4f;
fn open(word: u32) -> bytes4 { return vec4f(${bytesText}); }
fn product(a: bytes4, b: bytes4) -> f32 { return dot(a, b); }
`,
  round: 256,
  open: 48,
  product: 8,
  emulated: 28,
};

/** One instruction, where WGSL has it. */
export const dot4: Arithmetic = {
  text: /* wgsl */ `
alias bytes4 = u32;
alias sum4 = vec4i;
fn open(word: u32) -> bytes4 { return word; }
fn product(a: bytes4, b: bytes4) -> i32 { return dot4I8Packed(a, b); }
`,
  round: 0xffffffff,
  open: 0,
  product: 2,
  emulated: 50,
};
