// Masks in the browser: COCO's run-length encoding, which masks stay, and what lies under a pixel. No request needed.

// Lengths of runs of zeros and ones in turn, column by column (COCO API, maskApi).
export function runs(counts) {
  const found = [];
  for (let at = 0; at < counts.length;) {
    let value = 0, shift = 0, letter;
    do {
      letter = counts.charCodeAt(at++) - 48;
      value |= (letter & 31) << shift;
      shift += 5;
    } while (letter & 32);
    if (letter & 16 && shift < 32) value |= -1 << shift;
    found.push(found.length > 2 ? value + found[found.length - 2] : value);
  }
  return Int32Array.from(found);
}

// Where photo pixels land on a canvas that may be smaller: a canvas pixel shows the photo pixel under its centre.
export function grid(width, height, most) {
  const scale = Math.min(1, most / Math.max(width, height));
  const w = Math.max(1, Math.round(width * scale)), h = Math.max(1, Math.round(height * scale));
  const column = new Int32Array(width).fill(-1);
  for (let x = 0; x < w; x++) column[Math.min(width - 1, Math.floor((x + 0.5) * width / w))] = x;
  return { width, height, w, h, column };
}

// Writes `value` into `labels` (h x w of the grid) wherever a mask is.
export function paint(labels, value, lengths, { height, w, h, column }) {
  const down = h / height;
  for (let k = 1, at = lengths[0]; k < lengths.length; k += 2) {
    const end = at + lengths[k];
    while (at < end) {
      const x = Math.floor(at / height), top = at - x * height, bottom = Math.min(height, top + end - at);
      if (column[x] >= 0) {
        const last = Math.min(h, Math.ceil(bottom * down - 0.5));
        for (let y = Math.max(0, Math.ceil(top * down - 0.5)), p = y * w + column[x]; y < last; y++, p += w) labels[p] = value;
      }
      at += bottom - top;
    }
    at = end + (lengths[k + 1] ?? 0);
  }
}

// Indices of the segments that stay, as `Segments.filter(conf=, iou=, area=)` keeps them.
export function kept(segments, { conf, iou, area }) {
  const order = segments.filter((s) => s.score > conf).sort((a, b) => b.score - a.score || a.index - b.index);
  const chosen = [];
  for (const one of order) if (chosen.every((other) => other.category !== one.category || overlap(one.box, other.box) <= iou)) chosen.push(one);
  return chosen.filter((s) => s.area >= area).map((s) => s.index);
}

// IoU of two boxes xyxy.
export function overlap(a, b) {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]), h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h);
}

// Index + 1 of the smallest mask over each pixel of the grid, 0 where there is none.
export function labels(segments, indices, place) {
  const found = new Int32Array(place.w * place.h);
  for (const i of [...indices].sort((a, b) => segments[b].area - segments[a].area)) paint(found, i + 1, segments[i].runs, place);
  return found;
}
