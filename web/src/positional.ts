// Positional masks, whose weights vary across their own box, as plain coefficients and prototypes, as
// `masks/positional.py` makes them (the rule is written there).

const TERMS = 6;
const LEAST = 4; // input pixels: minimum length of a box's side

// Number of coefficients per mask, for a network with `maps` maps and `placed` positional features.
export function coefficientsOf(maps: number, placed: number): number {
  return placed ? maps + (TERMS - 1) * placed + 1 : maps;
}

// Maps (k, h, w), or coefficients (n, k).
export interface Weighed {
  readonly coefficients: Float32Array;
  readonly prototypes: Float32Array;
  readonly k: number;
}

// coefficients: (N, C), first those of the plain prototypes, then six per feature; maps: (M, h, w), first the plain
// prototypes, then the features except the constant one; boxes: (N, 4) in input pixels; cell: input pixels per cell
export function place(
  coefficients: Float32Array, maps: Float32Array, boxes: Float32Array, w: number, h: number, cell: number, placed: number,
): Weighed {
  const n = boxes.length / 4, area = w * h, given = maps.length / area, c = coefficientsOf(given, placed);
  if (!placed) return { coefficients, prototypes: maps, k: c };
  const plain = c - TERMS * placed, halves = [w * cell / 2, h * cell / 2], unit = Math.max(...halves);
  const moved = new Float32Array(coefficients);
  for (let i = 0; i < n; i++) {
    const [p, r] = [0, 1].map((side) => 2 * unit / Math.max(boxes[4 * i + 2 + side] - boxes[4 * i + side], LEAST));
    const start = (side: number, slope: number): number =>
      -slope * ((boxes[4 * i + side] + boxes[4 * i + 2 + side]) / 2 - halves[side]) / unit;
    const q = start(0, p), s = start(1, r);
    for (let f = 0, at = i * c + plain; f < placed; f++, at += TERMS) {
      const [one, u, v, uu, vv, uv] = coefficients.subarray(at, at + TERMS);
      moved.set([
        one + u * q + v * s + uu * q * q + vv * s * s + uv * q * s,
        (u + 2 * uu * q + uv * s) * p,
        (v + 2 * vv * s + uv * q) * r,
        uu * p * p,
        vv * r * r,
        uv * p * r,
      ], at);
    }
  }
  const prototypes = new Float32Array(c * area);
  prototypes.set(maps.subarray(0, plain * area));
  for (let y = 0, cellAt = 0; y < h; y++) {
    const down = ((y + 0.5) * cell - halves[1]) / unit;
    for (let x = 0; x < w; x++, cellAt++) {
      const across = ((x + 0.5) * cell - halves[0]) / unit;
      const powers = [1, across, down, across * across, down * down, across * down];
      for (let f = 0, to = plain * area + cellAt; f < placed; f++) {
        const feature = f === 0 ? 1 : maps[(plain + f - 1) * area + cellAt];
        for (let t = 0; t < TERMS; t++, to += area) prototypes[to] = feature * powers[t];
      }
    }
  }
  return { coefficients: moved, prototypes, k: c };
}
