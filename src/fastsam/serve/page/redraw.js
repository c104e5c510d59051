// Lets the second network draw the chosen object anew from its mask, as after a stroke of the brush.

import * as engine from './engine.js';
import { commit } from './history.js';
import { make, target } from './objects.js';
import { withPhoto } from './photo.js';
import { fail, working } from './say.js';
import { now } from './state.js';

export async function redraw() {
  const object = target('refine'), one = now.photo;
  if (!object) return;
  working(null, 'Drawing…');
  try {
    const segmentation = { size: [one.height, one.width], counts: object.counts };
    const [pick] = await withPhoto((id) => engine.select(id, { prompts: [{ mask: segmentation }] }));
    if (one !== now.photo || !now.objects.includes(object)) return;
    const best = pick?.candidates[0];
    if (!best?.segmentation) { fail('The network has no better drawing of it.'); return; }
    const made = make(object.name, best.segmentation.counts, { id: object.id, hidden: object.hidden });
    commit({ objects: now.objects.map((o) => (o === object ? made : o)) });
  } catch (error) {
    fail(error.message);
  } finally {
    working();
  }
}
