// Files that hold what is shown, and the line of Python to copy.

import * as engine from './engine.js';
import { withPhoto } from './photo.js';
import { asking } from './prompts.js';
import { $, fail, working } from './say.js';
import { now } from './state.js';

// Gives a file to the person.
export function saved(blob, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

for (const button of document.querySelectorAll('[data-format]')) {
  button.addEventListener('click', async () => {
    working(null, 'Writing…');
    await now.waiting;  // what is saved is what will be shown
    const candidate = now.answer?.candidates[now.answer.at];
    let body = { among: now.photo.shown };
    if (candidate && now.answer.all) body = { among: now.photo.indices, texts: [now.prompt.text] };  // what answers has its name from the text
    else if (candidate && (candidate.how ?? 'mask') === 'mask') body.among = [candidate.index];
    else if (candidate) body = { ...asking(now.prompt), rank: candidate.rank };
    body.format = button.dataset.format;
    try {
      const { blob, name } = await withPhoto((id) => engine.file(id, body));
      saved(blob, name);
      fail('');
    } catch (error) {
      fail(error.message);
    } finally {
      working();
    }
  });
}

$('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText($('code').textContent);
    $('copy').textContent = 'Copied';
    setTimeout(() => { $('copy').textContent = 'Copy'; }, 1500);
  } catch {
    getSelection().selectAllChildren($('code'));  // where a page may not write to the clipboard
  }
});
