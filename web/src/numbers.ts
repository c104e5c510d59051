// Numbers as Python and NumPy round and sort them.

// The nearest integer, and of two the even one.
export function rint(value: number): number {
  const low = Math.floor(value), share = value - low;
  return share < 0.5 ? low : share > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1;
}

export function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

// The probability 0..1 of a logit.
export function probability(logit: number): number {
  return 1 / (1 + Math.exp(-clip(logit, -50, 50)));
}

// Indices of values from the greatest to the least; equal ones keep their order.
export function descending(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
}

// The index of the greatest value, the first of equal ones.
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
