// The line of Python that gives what the page shows.

const list = (values) => `[${values.join(', ')}]`;
const tuple = (values) => `(${values.join(', ')})`;
const text = (value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const short = (value) => String(+value.toFixed(4));

// shown: { prompt, view, found, rank: of the candidate }; place: of a picked mask among those that stay. A correction
// takes a line for each of its steps. naming: { words, all, only } if masks are named, which the level comes after
export function python(model, photo, shown, place, naming) {
  const steps = [shown];
  while (shown.view.exact && steps[0].prompt.before && !steps[0].prompt.before.kept) steps.unshift(steps[0].prompt.before);
  if (steps.length === 1) {
    const chosen = select(shown, place), level = chosen || shown.view.level === 'parts' ? '' : `level=${text(shown.view.level)}`;
    if (!naming) return segments(model, photo, shown, level) + chosen;
    return segments(model, photo, shown) + named(naming) + (level && `.filter(${level})`) + chosen;
  }
  const lines = steps.map((step, k) => `mask = segments${select(step, place, k > 0)}`);
  return [`segments = ${segments(model, photo, steps[0])}${named(naming)}`, ...lines].join('\n');
}

// Everything that the first step chooses from: what follows is drawn from the mask before.
function segments(model, photo, { found, view }, level = '') {
  const named = model === 'fastsam-tiny' ? '' : text(model);
  const area = view.area > 0 ? `, area=(${view.area}, None)` : '';
  const drawn = found.refine ? ', refine=True' : '';
  return `FastSAM(${named})(${text(photo)}, conf=${short(found.conf)}, iou=${short(found.iou)}, max_det=${found.max_det}${drawn})`
    + `.filter(conf=${short(view.conf)}, iou=${short(view.iou)}${area}${level && `, ${level}`})`;
}

// The names that masks have from a vocabulary.
function named(naming) {
  if (!naming) return '';
  return `.named(${list(naming.words.map(text))}${naming.all ? ', all=True' : ''}${naming.only ? ', only=True' : ''})`;
}

// What chooses among them. further: whether a mask before is corrected
function select({ prompt, view, rank }, place, further) {
  if (prompt.mask !== undefined) return place < 0 ? '' : `.masks[${place}]`;
  if (prompt.text) return `.select(texts=[${text(prompt.text)}])${candidate(rank)}`;
  const parts = [];
  if (prompt.points.length) parts.push(`points=${list(prompt.points.map(tuple))}`, `labels=${list(prompt.labels)}`);
  if (prompt.box) parts.push(parts.length ? `box=${tuple(prompt.box)}` : `boxes=${list([tuple(prompt.box)])}`);
  if (!parts.length) return '';
  if (further) parts.push('mask=mask');
  const said = prompt.points.length && (prompt.box || further) ? `Prompt(${parts.join(', ')})` : parts.join(', ');
  return `.select(${said}${view.exact ? '' : ', refine=False'})${candidate(rank)}`;
}

const candidate = (at) => (at ? `[0].candidates[${at}].mask` : '[0].mask');
