// The panel: words, sliders, lists and buttons.

import { show, showAnswer } from './drawing.js';
import { commit, travel } from './history.js';
import { call } from './naming.js';
import { redraw } from './photo.js';
import { clear, refresh, step } from './prompts.js';
import { $ } from './say.js';
import { sift } from './sift.js';
import { NOTHING, now } from './state.js';

$('words').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text) commit({ prompt: { ...NOTHING, text } });
});

$('naming').addEventListener('submit', async (event) => {
  event.preventDefault();
  const words = $('vocabulary').value.split(',').map((word) => word.trim()).filter(Boolean);
  if (words.length) { await call({ words, all: $('every').checked }); refresh(); }
});
$('every').addEventListener('change', async () => { if (now.photo?.naming) { await call({ ...now.photo.naming, all: $('every').checked }); refresh(); } });
$('only').addEventListener('change', () => now.photo && refresh());

for (const key of ['conf', 'iou', 'area']) {
  const value = () => {
    const set = +$(key).value;
    return key !== 'area' ? set : set ? Math.round((now.photo.width * now.photo.height) ** (set / 100)) : 0;
  };
  $(key).addEventListener('input', () => {
    now.before ??= now.view;
    now.view = { ...now.view, [key]: value() };
    sift();
  });
  $(key).addEventListener('change', () => {
    if (!now.before) return;
    const set = now.view;
    now.view = now.before;
    now.before = null;
    commit({ view: set });
  });
}

$('level').addEventListener('change', () => now.photo && commit({ view: { ...now.view, level: $('level').value } }));
$('exact').addEventListener('change', () => now.photo && commit({ view: { ...now.view, exact: $('exact').checked } }));
$('redrawn').addEventListener('change', () => now.photo && redraw());

$('candidates').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  step(+button.dataset.candidate - now.answer.at);
  $('candidates').querySelectorAll('button')[now.answer.at].focus();
});

for (const id of ['opacity', 'outlines', 'masks']) $(id).addEventListener('input', () => now.photo && show());
$('colours').addEventListener('change', () => now.photo && sift());

$('list').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) { $('text').value = ''; commit({ prompt: { ...NOTHING, mask: +button.dataset.index } }); focusRow(button.dataset.index); }
});
for (const kind of ['pointerover', 'focusin']) {
  $('list').addEventListener(kind, (event) => {
    const button = event.target.closest('button');
    if (button && !now.answer) { now.hover = +button.dataset.index + 1; showAnswer(); }
  });
}
for (const kind of ['pointerleave', 'focusout']) $('list').addEventListener(kind, () => { if (now.photo) { now.hover = 0; showAnswer(); } });

const focusRow = (index) => $('list').querySelector(`[data-index="${index}"]`)?.focus();

for (const [id, value] of [['positive', 1], ['negative', 0]]) {
  $(id).addEventListener('click', () => {
    now.sign = value;
    $('positive').setAttribute('aria-pressed', String(now.sign === 1));
    $('negative').setAttribute('aria-pressed', String(now.sign === 0));
  });
}
$('part').addEventListener('click', () => step(-1));
$('whole').addEventListener('click', () => step(1));
$('clear').addEventListener('click', clear);
$('undo').addEventListener('click', () => travel(now.past, now.future));
$('redo').addEventListener('click', () => travel(now.future, now.past));


$('theme').addEventListener('click', () => {
  const dark = (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
});
