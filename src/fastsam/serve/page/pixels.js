// A mask's pixels for tools that change them, and back to its runs. Column by column, as COCO has them: pixel (x, y) is at
// x * height + y.

// Uint8Array (width * height) of runs.
export function bitmap(lengths, width, height) {
  const found = new Uint8Array(width * height);
  for (let k = 0, at = 0; k < lengths.length; at += lengths[k++]) if (k % 2) found.fill(1, at, at + lengths[k]);
  return found;
}

// Runs of a bitmap.
export function encode(pixels) {
  const found = [];
  let value = 0, from = 0;
  for (let at = 0; at < pixels.length; at++) if (pixels[at] !== value) { found.push(at - from); from = at; value = pixels[at]; }
  found.push(pixels.length - from);
  return Int32Array.from(found);
}

// COCO's letters of runs (COCO API, maskApi): the inverse of `runs` in masks.js.
export function letters(lengths) {
  let found = '';
  for (let k = 0; k < lengths.length; k++) {
    let value = k > 2 ? lengths[k] - lengths[k - 2] : lengths[k], more = true;
    while (more) {
      let group = value & 31;
      value >>= 5;
      more = group & 16 ? value !== -1 : value !== 0;
      if (more) group |= 32;
      found += String.fromCharCode(group + 48);
    }
  }
  return found;
}

// Number of pixels.
export const size = (lengths) => lengths.reduce((sum, length, k) => (k % 2 ? sum + length : sum), 0);

// Whether a pixel is in the mask.
export function holds(lengths, x, y, height) {
  let left = Math.floor(x) * height + Math.floor(y);
  for (let k = 0; k < lengths.length; k++) { if (left < lengths[k]) return k % 2 === 1; left -= lengths[k]; }
  return false;
}
