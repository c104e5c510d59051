// Levels of everything: which of the masks are shown, as `masks/levels.py` has it.

const NOTABLE = 0.0125, HIDDEN = 0.5, SAMPLE = 256;

const weight = (segment) => segment.score * Math.sqrt(segment.area);

// Those of `indices` that are of a level, in the same order.
export function ofLevel(segments, indices, level) {
  if (level === 'parts' || !indices.length) return indices;
  const least = NOTABLE * Math.max(...indices.map((i) => weight(segments[i])));
  const things = indices.filter((i) => weight(segments[i]) >= least);
  return level === 'things' ? things : apart(segments, things);
}

// The weightiest first: one stays unless more than half of it lies in those that stay already.
function apart(segments, indices) {
  const stay = new Set();
  for (const i of [...indices].sort((a, b) => weight(segments[b]) - weight(segments[a]))) {
    const places = spread(segments[i].runs), inside = new Uint8Array(places.length);
    for (const other of stay) mark(inside, places, segments[other].runs);
    if (places.length && inside.reduce((sum, on) => sum + on, 0) <= HIDDEN * places.length) stay.add(i);
  }
  return indices.filter((i) => stay.has(i));
}

// Places, column by column, of up to SAMPLE pixels of a mask, evenly spread.
function spread(lengths) {
  const all = lengths.reduce((sum, length, k) => (k % 2 ? sum + length : sum), 0), n = Math.min(SAMPLE, all);
  const found = new Int32Array(n);
  for (let j = 0, k = 1, at = lengths[0], seen = 0; j < n; j++) {
    const pixel = n > 1 ? Math.round(j * (all - 1) / (n - 1)) : 0;
    while (seen + lengths[k] <= pixel) { seen += lengths[k]; at += lengths[k] + lengths[k + 1]; k += 2; }
    found[j] = at + pixel - seen;
  }
  return found;
}

// Sets `inside` where a place is in a mask. Places and runs both go forward.
function mark(inside, places, lengths) {
  let k = 0, end = lengths[0];
  places.forEach((place, j) => {
    while (end <= place && k + 1 < lengths.length) end += lengths[++k];
    if (k % 2 && place < end) inside[j] = 1;
  });
}
