// The order of numbers where NaN must have a place too, as in NumPy: above all others. Both zeros are one.

/** Below 0 where `a` comes before `b`, above 0 where behind, 0 where they are the same. */
export function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
