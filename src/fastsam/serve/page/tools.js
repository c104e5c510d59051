// Which tool the pointer is. A tool: { down(point, event), move(point), up(point), cancel() }, points in photo pixels.

import { showAnswer } from './drawing.js';
import { brush, eraser } from './brush.js';
import { corners } from './corners.js';
import { split } from './split.js';
import { $ } from './say.js';
import { NOTHING, isEmpty, now } from './state.js';
import { commit } from './history.js';

export const tools = { brush, eraser, split, corners };

export function setTool(name) {
  now.tool = name;
  now.stroke = null;
  for (const button of document.querySelectorAll('[data-tool]')) button.setAttribute('aria-pressed', String(button.dataset.tool === name));
  $('brush-size').hidden = name !== 'brush' && name !== 'eraser';
  if (!now.photo) return;
  if (name !== 'point' && !isEmpty(now.prompt)) commit({ prompt: NOTHING });
  else showAnswer();
}
