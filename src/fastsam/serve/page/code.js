// The line of Python that gives what the page shows.

const list = (values) => `[${values.join(', ')}]`;
const tuple = (values) => `(${values.join(', ')})`;
const text = (value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const short = (value) => String(+value.toFixed(4));

// at: the number of the candidate that is shown; place: of a picked mask among those that stay.
export function python(model, photo, found, view, prompt, at, place) {
  const named = model === 'fastsam-tiny' ? '' : text(model);
  let line = `FastSAM(${named})(${text(photo)}, conf=${short(found.conf)}, iou=${short(found.iou)}, max_det=${found.max_det})`;
  const area = view.area > 0 ? `, area=(${view.area}, None)` : '';
  line += `.filter(conf=${short(view.conf)}, iou=${short(view.iou)}${area})`;
  if (prompt.mask !== undefined) return place < 0 ? line : `${line}.masks[${place}]`;
  const parts = [];
  if (prompt.points.length) parts.push(`points=${list(prompt.points.map(tuple))}`, `labels=${list(prompt.labels)}`);
  if (prompt.box && prompt.points.length) parts.push(`box=${tuple(prompt.box)}`);
  if (prompt.box && !prompt.points.length) return `${line}.select(boxes=${list([tuple(prompt.box)])})${candidate(at)}`;
  if (prompt.text) return `${line}.select(texts=[${text(prompt.text)}])${candidate(at)}`;
  if (!parts.length) return line;
  return prompt.box ? `${line}.select(Prompt(${parts.join(', ')}))${candidate(at)}` : `${line}.select(${parts.join(', ')})${candidate(at)}`;
}

const candidate = (at) => (at ? `[0].candidates[${at}].mask` : '[0].mask');
